"""What a stage runs is in its fingerprint: changed code is never answered with what older code made."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import grimp
import pytest

from r2rec_bench.core.loading import load
from r2rec_bench.core.store import Artifact, ArtifactStore
from r2rec_bench.core.watch import Silent
from r2rec_bench.deciding import ASKING_CODE, AUDIT_CODE, LIST_CODE, SCORING_CODE, TRAINING_CODE
from r2rec_bench.experiment import Experiment
from r2rec_bench.inputs import Inputs
from r2rec_bench.llm.base import backbones
from r2rec_bench.llm.nano import Nano
from tests.worlds import write_tiny

NEUTRAL = {
    # Settings, names, errors, files and signals; numba compiles what the rooms say.
    *(f"core.{name}" for name in ("config", "environment", "errors", "fingerprint", "kernels", "manifest", "minutes")),
    *(f"core.{name}" for name in ("paths", "registry", "resources", "signals", "store", "unfinished")),
    # How data are read: their content is in the fingerprint.
    *(f"data.{name}" for name in ("assemble", "catalog", "log", "parquet")),
    *(f"data.sources.{name}" for name in ("folder", "synthetic", "synthetic_titles", "synthetic_world")),
}


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("r2rec_bench", exclude_type_checking_imports=True, cache_dir=None)


@pytest.mark.parametrize(
    ("code", "inputs", "unused"),
    [
        pytest.param(LIST_CODE, (), set(), id="candidates"),
        pytest.param((*ASKING_CODE, *AUDIT_CODE), LIST_CODE, {"evaluation.base"}, id="audit and traces"),
        pytest.param(TRAINING_CODE, (*ASKING_CODE, *AUDIT_CODE), {"evaluation.base"}, id="training, from traces"),
        pytest.param((*SCORING_CODE, *ASKING_CODE), LIST_CODE, set(), id="evaluation"),
    ],
)
def test_all_that_a_stage_imports_is_in_its_fingerprint_or_decides_nothing(imports, code, inputs, unused):
    """`inputs` is the code of what the stage is made from; of what is `unused` it takes types alone."""
    ours = set(imports.modules)

    def below(names: Sequence[str]) -> set[str]:
        return {module for module in ours if any(module == one or module.startswith(f"{one}.") for one in names)}

    assert all(below([name]) for name in code)
    run = {needed for name in code for needed in imports.find_upstream_modules(name, as_package=name in packages(ours))}
    left = {name.removeprefix("r2rec_bench.") for name in run - below([*code, *inputs])}
    assert left - NEUTRAL - unused - {"r2rec_bench", "core", "data", "data.sources"} == set()


def packages(modules: set[str]) -> set[str]:
    return {module.rpartition(".")[0] for module in modules}


class Codes(ArtifactStore):
    """Keeps what each stage says of its code."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.told: dict[str, Sequence[str]] = {}

    def get(self, stage: str, settings: Mapping[str, Any], inputs: Sequence[Artifact], code: Sequence[str], make: Any):
        self.told[stage] = code
        return Artifact(self.root, stage, stage, 0.0, 0, cached=True)


def test_the_package_of_a_strangers_backbone_is_in_the_fingerprint_of_traces_and_audit(tmp_path, monkeypatch):
    """Its class says which wording it understands, in which all questions are put."""
    monkeypatch.setitem(backbones._classes, "mine", type("Mine", (Nano,), {"__module__": "mine.backbone"}))
    store = Codes(tmp_path)
    inputs = Inputs(load(write_tiny(tmp_path, backbone={"use": "mine"}), Experiment).value, store, Silent())
    assert (inputs.traces.stage, inputs.audit.stage) == ("traces", "audit")
    assert {stage for stage, code in store.told.items() if "mine" in code} == {"traces", "audit"}
