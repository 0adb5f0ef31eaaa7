"""The search space as W&B's, and the values that come back."""

import pytest
import yaml

from r2rec_bench.core.config import Tune
from r2rec_bench.core.errors import InputError
from r2rec_bench.core.search import Knob
from r2rec_bench.sweep.definition import read_sweep
from r2rec_bench.sweep.export import parameters, wandb_sweep, write_wandb

SEARCH = {
    "stages.sft.lr": {"low": 1e-5, "high": 1e-3, "log": True},
    "queries.touched": {"low": 0.25, "high": 0.5},
    "chains.n": {"low": 2, "high": 16},
    "queries.n": {"low": 16, "high": 64, "log": True},
    "chains.use": ["closed_uniform", "recent"],
    "untrained": [True, False],
    "candidates.users": [20, None],
}
GIVEN = {
    "stages.sft.lr": "0.00012345",
    "queries.touched": "0.3",
    "chains.n": "5",
    "queries.n": "32.0",
    "chains.use": "recent",
    "untrained": "False",
    "candidates.users": "None",
}


@pytest.fixture
def searched(sweep_file):
    return read_sweep(sweep_file(search=SEARCH, trials=7))


def given(**changes):
    return [f"{name}={value}" for name, value in (GIVEN | changes).items() if value is not None]


def test_the_file_is_wandbs_own(searched, tmp_path):
    write_wandb(searched, tmp_path / "sweep.yaml", tmp_path / "out" / "wandb.yaml")
    text = (tmp_path / "out" / "wandb.yaml").read_text()
    assert "written by `r2rec sweep`" in text
    config = yaml.safe_load(text)
    assert (config["method"], config["run_cap"]) == ("bayes", 7)
    assert config["metric"] == {"name": "ndcg_at_10", "goal": "maximize"}
    assert config["parameters"] == {
        "chains.use": {"values": ["closed_uniform", "recent"]},
        "untrained": {"values": [True, False]},
        "candidates.users": {"values": [20, None]},
        "stages.sft.lr": {"distribution": "log_uniform_values", "min": 1e-5, "max": 1e-3},
        "queries.touched": {"distribution": "uniform", "min": 0.25, "max": 0.5},
        "chains.n": {"distribution": "int_uniform", "min": 2, "max": 16},
        "queries.n": {"distribution": "q_log_uniform_values", "q": 1, "min": 16, "max": 64},
    }


def test_values_come_back_as_they_are_searched(searched):
    found = parameters(searched, given())
    assert found == {
        "stages.sft.lr": 0.00012345,
        "queries.touched": 0.3,
        "chains.n": 5,
        "queries.n": 32,
        "chains.use": "recent",
        "untrained": False,
        "candidates.users": None,
    }
    assert found["untrained"] is False
    assert isinstance(found["queries.n"], int)


def test_a_setting_that_may_be_none_has_a_second_parameter(searched):
    from dataclasses import replace

    from optuna.trial import FixedTrial

    optional = replace(searched, knobs=(Knob("k", Tune(5, 50), whole=True, optional=True),), choices={})
    space = wandb_sweep(optional, "sweep.yaml")["parameters"]
    assert space == {"k": {"distribution": "int_uniform", "min": 5, "max": 50}, "k.given": {"values": [True, False]}}
    for there, expected in (("True", 7), ("False", None)):
        found = parameters(optional, ["k=7", f"k.given={there}"])
        assert optional.suggest(FixedTrial(found)) == {"k": expected}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"chains.n": None}, "missing: chains.n"),
        ({"chains.m": "2"}, "unknown searched setting 'chains.m'. Did you mean 'chains.n'"),
        ({"chains.n": "17"}, "chains.n: expected a number from 2 to 16; got '17'"),
        ({"chains.n": "many"}, "chains.n: expected a number from 2 to 16; got 'many'"),
        ({"chains.use": "none"}, "chains.use: expected one of closed_uniform, recent; got 'none'"),
    ],
)
def test_a_value_that_was_not_searched_is_refused(searched, changes, message):
    with pytest.raises(InputError, match=message):
        parameters(searched, given(**changes))


def test_a_value_needs_its_path(searched):
    with pytest.raises(InputError, match="expected PATH=VALUE; got 'recent'"):
        parameters(searched, ["recent"])
