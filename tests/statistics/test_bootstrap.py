"""Bootstrap intervals against exact quantiles, SciPy, and simulated coverage."""

import math

import numpy as np
import pytest
from scipy import stats

from r2rec_bench.statistics.bootstrap import mean_interval, resampled_means


def reciprocal_ranks(rng, size, n_items=20):
    """A skewed rank metric: good ranks are likelier."""
    chance = np.arange(n_items, 0, -1) ** 2.0
    return 1 / rng.choice(np.arange(1, n_items + 1), size=size, p=chance / chance.sum())


def test_for_hits_the_ends_are_binomial_quantiles():
    one_hit = 1.001e-3
    hits = np.repeat([1.0, 0.0], [250, 750])
    interval = mean_interval(hits, np.random.default_rng(0), resamples=50_000)
    assert interval.mean == 0.25
    assert interval.low == pytest.approx(stats.binom.ppf(0.025, 1000, 0.25) / 1000, abs=one_hit)
    assert interval.high == pytest.approx(stats.binom.ppf(0.975, 1000, 0.25) / 1000, abs=one_hit)


@pytest.mark.parametrize("draw", [reciprocal_ranks, lambda rng, size: rng.exponential(size=size)])
def test_scipy_agrees(draw):
    values = draw(np.random.default_rng(1), 500)
    ours = mean_interval(values, np.random.default_rng(2))
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=10_000, batch=500, method="percentile", rng=np.random.default_rng(3)
    ).confidence_interval
    monte_carlo = 0.12 * values.std() / math.sqrt(500)  # three standard errors of the difference of two such ends
    assert ours.low == pytest.approx(theirs.low, abs=monte_carlo)
    assert ours.high == pytest.approx(theirs.high, abs=monte_carlo)


def test_a_narrower_level_lies_inside():
    values = np.random.default_rng(0).random(300)
    wide = mean_interval(values, np.random.default_rng(1), level=0.99)
    narrow = mean_interval(values, np.random.default_rng(1), level=0.5)
    assert wide.low < narrow.low < narrow.mean < narrow.high < wide.high


def test_few_and_many_distinct_values_are_resampled_alike():
    rng = np.random.default_rng(0)
    coarse = reciprocal_ranks(rng, 1000)
    fine = coarse + 1e-9 * rng.random(1000)  # all distinct, so that every user is drawn
    a, b = (resampled_means(values, rng, 10_000) for values in (coarse, fine))
    assert stats.ks_2samp(a, b).pvalue > 0.01
    assert a.std() == pytest.approx(coarse.std() / math.sqrt(1000), rel=0.03)


@pytest.mark.parametrize(
    ("draw", "truth", "n"),
    [
        pytest.param(lambda rng, n: rng.binomial(1, 0.3, n).astype(float), 0.3, 1000, id="hits"),
        pytest.param(reciprocal_ranks, None, 300, id="reciprocal ranks"),
        pytest.param(lambda rng, n: np.abs(rng.normal(size=n)), math.sqrt(2 / math.pi), 200, id="absolute errors"),
    ],
)
def test_95_percent_intervals_hold_the_truth_95_percent_of_the_time(draw, truth, n):
    rng = np.random.default_rng(20)
    if truth is None:
        chance = np.arange(20, 0, -1) ** 2.0
        truth = (chance / chance.sum()) @ (1 / np.arange(1, 21))
    intervals = [mean_interval(draw(rng, n), rng, resamples=1000) for _ in range(3000)]
    coverage = np.mean([interval.low <= truth <= interval.high for interval in intervals])
    assert 0.94 <= coverage <= 0.96


def test_users_without_a_value_are_left_out_and_counted():
    values = np.array([1.0, np.nan, 0.0, 1.0, np.nan, 0.0])
    interval = mean_interval(values, np.random.default_rng(5))
    without = mean_interval(values[~np.isnan(values)], np.random.default_rng(5))
    assert (interval.n, interval.missing, interval.mean) == (4, 2, 0.5)
    assert (interval.low, interval.high) == (without.low, without.high)


def test_too_few_users_have_no_interval():
    rng = np.random.default_rng(0)
    one = mean_interval(np.array([0.5, np.nan]), rng)
    assert (one.mean, one.n, one.missing) == (0.5, 1, 1)
    assert math.isnan(one.low)
    assert math.isnan(one.high)
    assert math.isnan(mean_interval(np.array([]), rng).mean)


def test_equal_values_give_an_interval_of_width_0():
    interval = mean_interval(np.zeros(100), np.random.default_rng(0))
    assert (interval.low, interval.high) == (0, 0)


def test_the_same_generator_gives_the_same_interval():
    values = np.random.default_rng(0).random(50)
    assert mean_interval(values, np.random.default_rng(1)) == mean_interval(values, np.random.default_rng(1))
