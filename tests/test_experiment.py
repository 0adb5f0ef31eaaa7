"""What an experiment as a whole must make sense of."""

from pathlib import Path

import pytest

from r2rec_bench.core.errors import ConfigError
from r2rec_bench.core.loading import load
from r2rec_bench.experiment import Experiment

QUICKSTART = Path(__file__).parents[1] / "experiments" / "quickstart.yaml"
NOTHING = ["stages=[]", "baselines=[]", "untrained=false"]


def test_an_experiment_without_anything_to_rank_with_is_refused():
    with pytest.raises(ConfigError, match="nothing to rank with: no stages, no baselines, and untrained is false"):
        load(QUICKSTART, Experiment, NOTHING)


def test_a_metric_that_is_listed_twice_is_refused_before_any_work():
    with pytest.raises(ConfigError, match="metrics: hr is listed twice; list a metric once, with all its cutoffs"):
        load(QUICKSTART, Experiment, ["metrics=[hr, mrr, {use: hr, at: [1]}]"])


@pytest.mark.parametrize("left", range(3))
def test_one_thing_to_rank_with_is_enough(left):
    assert load(QUICKSTART, Experiment, NOTHING[:left] + NOTHING[left + 1 :]).value
