"""One tiny experiment and an ablation of it, run once through the command line."""

import csv
from dataclasses import dataclass, field

import pytest
from typer.testing import Result

from tests.worlds import Place, write_tiny

ABLATION = """
extends: tiny.yaml
question: What does training do?
change:
  stages.sft.lr: 1.0e-9
"""


@dataclass
class Ran(Place):
    """What one `r2rec run` left behind."""

    result: Result = field(init=False)

    @property
    def report(self) -> str:
        return (self.folder / "reports" / "tiny+untaught" / "report.md").read_text("utf-8")

    @property
    def run_ids(self) -> dict[str, str]:
        """By system."""
        with (self.folder / "reports" / "tiny+untaught" / "results.csv").open(encoding="utf-8") as file:
            return {row["system"]: row["run_id"] for row in csv.DictReader(file)}


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("cli")
    tiny = write_tiny(
        folder,
        data={"users": 120, "items": 60, "interactions": 12},
        candidates={"users": 30},
        chains={"evidence": "bundle", "order": "forward", "window": 10},
        prompts={"wording": "auto"},
        queries={"n": 256},
        stages=[{"use": "sft", "lr": 5e-3, "batch_size": 32, "epochs": 2}],
        ranker={"max_thought_tokens": 16},
        metrics=["hr", "ndcg", "mrr", "mae", "valid_ratio"],
        baselines=["popularity", "ease"],
    )
    (folder / "untaught.yaml").write_text(ABLATION)
    ran = Ran(folder)
    ran.result = ran.invoke("run", tiny, folder / "untaught.yaml", "--out", folder / "reports")
    return ran
