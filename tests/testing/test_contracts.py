"""Every registered component keeps the contract of its family, ours and whoever else's is installed."""

import pytest

from r2rec_bench.core.paths import data_root
from r2rec_bench.core.registry import FAMILIES, registry
from r2rec_bench.testing import Status
from r2rec_bench.testing.models import small_chat
from r2rec_bench.testing.running import verdict

CHEAP = {
    "sources": {"synthetic": {"users": 40, "items": 40, "interactions": 10}},
    "stages": {
        "sft": {"batch_size": 16, "lr": 1e-3},
        "grpo": {"steps": 1, "prompts": 4, "group": 2, "max_completion": 8, "lr": 1e-3, "weight_decay": 0.5},
        "rloo": {"steps": 1, "prompts": 4, "group": 2, "max_completion": 8, "lr": 1e-3, "weight_decay": 0.5},
        "dpo": {"batch_size": 16, "lr": 1e-3},
        "pretrain": {"worlds": 1, "questions": 40, "shape": {"width": 16, "layers": 1, "heads": 2}},
    },
    "pairs": {"sampled": {"samples": 2, "max_completion": 12}},
    "rankers": {"self_consistency": {"n": 2}},
    "baselines": {
        "als": {"iterations": 2, "factors": 4},
        "bpr": {"iterations": 2, "factors": 4},
        "biased_mf": {"epochs": 2, "factors": 4},
        "lightgcn": {"steps": 2, "factors": 4},
        "sasrec": {"epochs": 1, "width": 8, "layers": 1, "window": 8, "batch_size": 8},
        "gru4rec": {"epochs": 1, "width": 8, "layers": 1, "window": 8, "batch_size": 8, "state": 8},
    },
}
"""Settings with which a check is quick; what is checked does not depend on how well anything has learnt."""
ELSEWHERE = {
    ("sources", "folder"): "needs a folder of data: tests/data/test_folder_source.py gives it one",
    ("teachers", "file"): "needs a file of thoughts about these very lessons: tests/traces has its tests",
    ("teachers", "openai"): "needs a server: tests/traces starts one for it",
}
"""What cannot be had here, and where it is tried instead."""
COMPONENTS = [(family, name) for family in FAMILIES for name in registry(family).names()]


def cheap(family: str, name: str) -> dict[str, object]:
    if (family, name) == ("teachers", "hf"):
        return {"path": str(small_chat().path), "attempts": 1, "max_tokens": 8}
    if name == "hf":
        return {"path": str(small_chat().path)}
    wanted = CHEAP.get(family, {}).get(name, {})
    known = registry(family).get(name).config_type().model_fields
    return {key: value for key, value in wanted.items() if key in known}


@pytest.mark.parametrize(("family", "name"), COMPONENTS, ids=lambda part: part)
def test_it_keeps_its_contract(family: str, name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("R2REC_OFFLINE", "1")
    if (family, name) in ELSEWHERE:
        pytest.skip(ELSEWHERE[family, name])
    if family == "sources" and name.startswith("movielens") and data_root() is None:
        pytest.skip("needs real data under R2REC_DATA")
    found = verdict(family, name, cheap(family, name))
    if found.status is Status.SKIPPED:
        pytest.skip(found.reason)
    assert found.status is Status.OK, found.reason
