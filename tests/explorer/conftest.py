"""One tiny shop with hostile titles, a run of it with an ablation, and the explorer's site of both."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.worlds import Place, write_tiny

HOSTILE = (
    "</script><script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "line\u2028separator \u202eright to left",
    "“Quoted” & <b>bold</b>",
    "javascript:alert(1)",
)
SINGLE = """
extends: tiny.yaml
question: What do single chains do, without room to think?
change:
  chains.evidence: single
  ranker.max_thought_tokens: 1
"""


@dataclass
class Site(Place):
    """A cache with runs, and the site that was made of them."""

    page: Path

    def read(self, name: str) -> Any:
        """What a file of data hands over."""
        return handed_over(self.page.parent / "data" / f"{name}.js")


def handed_over(script: Path) -> Any:
    """The value in a file of data."""
    text = script.read_text("ascii")
    return json.loads(text[text.index(", ") + 2 : text.rindex(")")])


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("explorer")
    _write_shop(folder / "data" / "shop")
    tiny = write_tiny(
        folder,
        question="Does it <b>show</b>?",
        data="shop",
        candidates={"n": 5, "users": 56},
        chains={"evidence": "bundle", "order": "any", "n": 3},
        prompts={"budget": 512},
        queries={"n": 32},
        untrained=False,
        stages=[{"use": "sft", "lr": 1e-4, "batch_size": 16, "epochs": 1}],
        metrics=["hr", "ndcg", "mrr", "mae", "valid_ratio"],
        baselines=["popularity", "ease"],
    )
    (folder / "single.yaml").write_text(SINGLE)
    made = Site(folder, folder / "site" / "index.html")
    files = (tiny, folder / "single.yaml")
    assert made.invoke("run", *files, "--out", folder / "reports").exit_code == 0
    result = made.invoke("explorer", *files, "-o", folder / "site", "--first", 2)
    assert result.exit_code == 0, result.output
    return made


def _write_shop(folder: Path) -> None:
    """80 users of 40 items, every title one of the hostile ones."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    popular = 1 / np.arange(1, 41)
    lines = [
        (f"u{user}", f"i{item}", float(rng.integers(1, 6)), 1_000_000 + 1_000 * place + user)
        for user in range(80)
        for place, item in enumerate(rng.choice(40, rng.integers(6, 14), replace=False, p=popular / popular.sum()))
    ]
    pd.DataFrame(lines, columns=["user_id", "item_id", "rating", "timestamp"]).astype({"rating": "float32"}).to_parquet(
        folder / "interactions.parquet"
    )
    titles = [f"{HOSTILE[item % len(HOSTILE)]} {item}" for item in range(40)]
    pd.DataFrame({"item_id": [f"i{item}" for item in range(40)], "title": titles}).to_parquet(folder / "items.parquet")
