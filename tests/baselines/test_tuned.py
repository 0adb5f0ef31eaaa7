"""The experiments of tuned baselines say what tuning found, and nothing else."""

from pathlib import Path

import pytest
import yaml

from r2rec_bench.core.loading import load
from r2rec_bench.evaluation.base import baselines
from r2rec_bench.experiment import Experiment

ROOT = Path(__file__).parents[2]
TRIALS = 12
TUNED = yaml.safe_load((ROOT / "baselines" / "tuned.yaml").read_text("utf-8"))


def test_every_experiment_of_baselines_has_been_tuned():
    assert {f"baselines-{data}.yaml" for data in TUNED} == {
        path.name for path in (ROOT / "experiments").glob("baselines-*.yaml")
    }


@pytest.mark.parametrize("data", sorted(TUNED))
def test_settings_are_those_that_tuning_found(data):
    found = load(ROOT / "experiments" / f"baselines-{data}.yaml", Experiment).value
    given = {spec.use: spec.settings.model_dump() for spec in found.baselines}
    tuned = {name: entry["settings"] for name, entry in TUNED[data].items()}
    assert given == tuned | {"popularity": {}}, "popularity alone has nothing to tune"
    assert data in (found.data.use, found.data.settings.model_dump().get("name"))
    assert (found.stages, found.untrained, found.candidates.fold) == ((), False, "test")


@pytest.mark.parametrize("data", sorted(TUNED))
def test_every_baseline_had_the_same_number_of_trials_or_used_up_its_time(data):
    for name, entry in TUNED[data].items():
        tried = sum(entry["trials"].values())
        if tried < TRIALS:
            assert entry["seconds"] >= 60 * entry["budget_minutes"], name
        else:
            assert tried == TRIALS, name


@pytest.mark.parametrize("data", sorted(TUNED))
def test_tuning_never_lost_against_the_defaults(data):
    for name, entry in TUNED[data].items():
        assert baselines.get(name).config_type().model_validate(entry["settings"]).model_dump() == entry["settings"]
        if entry["defaults"]:
            better = 1 if entry["by"] == "ndcg@10" else -1
            assert better * entry["validation"][entry["by"]] >= better * entry["defaults"][entry["by"]], name
