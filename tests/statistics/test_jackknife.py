"""The jackknife against the formula for a mean, and its coverage of a count of distinct things."""

import math

import numpy as np
import pytest

from r2rec_bench.statistics.jackknife import jackknife_interval


def test_of_a_mean_it_is_the_textbook_interval():
    values = np.random.default_rng(0).normal(size=50)
    without_each = (values.sum() - values) / 49
    found = jackknife_interval(float(values.mean()), without_each)
    reach = 1.959964 * values.std(ddof=1) / math.sqrt(50)
    assert (found.low, found.high) == pytest.approx((values.mean() - reach, values.mean() + reach), abs=1e-6)
    assert (found.n, found.missing) == (50, 0)


def test_too_little_to_leave_out_has_no_interval():
    assert math.isnan(jackknife_interval(0.5, np.array([0.5])).low)
    missing = jackknife_interval(math.nan, np.full(4, math.nan))
    assert (missing.n, missing.missing) == (0, 4)


def test_it_covers_the_expected_number_of_distinct_things_at_least_as_often_as_it_says():
    """Where a bootstrap would not: resamples of 60 draws hold fewer distinct things than 60 draws do."""
    rng = np.random.default_rng(1)
    things, draws, repeats = 100, 60, 400
    expected = things * (1 - (1 - 1 / things) ** draws)
    hits = 0
    for _ in range(repeats):
        drawn = rng.integers(things, size=draws)
        times = np.bincount(drawn, minlength=things)
        distinct = np.count_nonzero(times)
        found = jackknife_interval(distinct, distinct - (times[drawn] == 1).astype(np.float64))
        hits += found.low <= expected <= found.high
    assert hits / repeats >= 0.95
