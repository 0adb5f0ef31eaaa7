"""Paired comparisons by hand, against SciPy's exact permutation test, and under a true null."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from r2rec_bench.core.errors import InputError
from r2rec_bench.evaluation.results import UserTable
from r2rec_bench.statistics.paired import compare, paired_differences, sign_flip_p_value

MONTE_CARLO = 4 * math.sqrt(0.25 / 20_000)
"""Four standard errors of a p-value from 20,000 permutations."""


def users(ids, values, items=None):
    n = len(ids)
    ones = np.ones(n, np.int64)
    metrics = {"mrr": np.array(values, float)}
    return UserTable(tuple(ids), tuple(items or ids), ones, ones, ones, np.zeros(n), ((),) * n, 1, metrics)


def test_differences_are_paired_by_user_not_by_row():
    a, b = users("xyz", [1, 2, 3]), users("zxy", [30, 10, 20])
    assert paired_differences(a, b, "mrr").tolist() == [-9, -18, -27]


def test_systems_must_have_been_asked_about_the_same_users():
    with pytest.raises(InputError, match=r"2 users have a result under one system only, e\.g\. 'v'"):
        paired_differences(users("xyz", [1, 2, 3]), users("xyv", [1, 2, 3]), "mrr")


def test_systems_must_have_been_asked_about_the_same_positives():
    with pytest.raises(InputError, match="user 'y' was asked about item 'q' under one system and 'y' under the other"):
        paired_differences(users("xy", [1, 2], items="xq"), users("yx", [1, 2]), "mrr")


def test_a_comparison_by_hand():
    differences = np.array([1.0, 1.0, 0.0, -1.0, np.nan, 1.0])
    comparison = compare(differences, np.random.default_rng(0))
    assert (comparison.wins, comparison.ties, comparison.losses) == (3, 1, 1)
    assert (comparison.difference.mean, comparison.difference.n, comparison.difference.missing) == (0.4, 5, 1)
    assert comparison.sd == pytest.approx(math.sqrt(0.8))
    # Of the 16 sign patterns of the four non-zero differences, 10 have a sum of 2 or more in absolute value.
    assert comparison.p_value == pytest.approx(10 / 16, abs=0.02)
    assert comparison.difference.low < 0.4 < comparison.difference.high


def test_for_errors_the_lower_wins_and_the_difference_keeps_its_sign():
    comparison = compare(np.array([-1.0, -2.0, 0.5]), np.random.default_rng(0), higher_is_better=False)
    assert (comparison.wins, comparison.ties, comparison.losses) == (2, 0, 1)
    assert comparison.difference.mean == pytest.approx(-2.5 / 3)


def test_nothing_in_common_is_nothing_to_compare():
    with pytest.raises(InputError, match="none of the 3 users has a value under both systems"):
        compare(np.full(3, np.nan), np.random.default_rng(0))


def test_a_single_user_has_a_difference_but_no_spread():
    comparison = compare(np.array([0.5]), np.random.default_rng(0))
    assert comparison.difference.mean == 0.5
    assert comparison.p_value == 1
    assert math.isnan(comparison.sd)


def test_identical_systems_do_not_differ():
    comparison = compare(np.zeros(100), np.random.default_rng(0))
    assert comparison.p_value == 1
    assert (comparison.wins, comparison.ties, comparison.losses) == (0, 100, 0)


def test_a_p_value_is_never_0():
    assert sign_flip_p_value(np.ones(500), np.random.default_rng(0), 999) == 1 / 1000


@pytest.mark.parametrize(
    "draw",
    [lambda rng: rng.binomial(1, 0.5, 14).astype(float), lambda rng: np.abs(rng.normal(size=14))],
    ids=["hits", "absolute errors"],
)
def test_scipys_exact_test_agrees(draw):
    rng = np.random.default_rng(4)
    for _ in range(5):
        a, b = draw(rng), draw(rng)
        exact = stats.permutation_test(
            (a, b),
            lambda x, y, axis: np.mean(x - y, axis=axis),
            permutation_type="samples",
            n_resamples=np.inf,
            vectorized=True,
            batch=2048,
        )
        assert sign_flip_p_value(a - b, rng, 20_000) == pytest.approx(exact.pvalue, abs=MONTE_CARLO)


def test_scipys_paired_t_test_agrees_where_users_are_many():
    rng = np.random.default_rng(5)
    for advantage in (0, 0.05, 0.1):
        a, b = rng.normal(advantage, 1, 300), rng.normal(0, 1, 300)
        assert compare(a - b, rng).p_value == pytest.approx(stats.ttest_rel(a, b).pvalue, abs=0.02)


def test_sums_equal_on_paper_count_as_equal_whatever_the_rounding():
    # Reciprocal ranks up to 5 are whole numbers of sixtieths, so that all 2^12 sums can be compared exactly.
    rng = np.random.default_rng(4)
    signs = np.array(list(itertools.product([1, -1], repeat=12)))
    for _ in range(20):
        a, b = rng.integers(1, 6, (2, 12))
        sixtieths = 60 // a - 60 // b
        exact = np.mean(np.abs(signs @ sixtieths) >= abs(sixtieths.sum()))
        assert sign_flip_p_value(1 / a - 1 / b, rng, 20_000) == pytest.approx(exact, abs=MONTE_CARLO)


def test_p_values_are_uniform_under_the_null():
    rng = np.random.default_rng(6)
    p_values = np.array([sign_flip_p_value(rng.normal(size=50), rng, 499) for _ in range(1500)])
    assert stats.kstest(p_values, "uniform").pvalue > 0.01
    assert np.mean(p_values <= 0.05) == pytest.approx(0.05, abs=3 * math.sqrt(0.05 * 0.95 / 1500))


def test_for_hits_the_test_never_rejects_too_often():
    rng = np.random.default_rng(7)
    differences = rng.choice([-1.0, 0.0, 1.0], p=[0.2, 0.6, 0.2], size=(2000, 200))
    p_values = np.array([sign_flip_p_value(row, rng, 499) for row in differences])
    for alpha in (0.01, 0.05, 0.2):
        assert np.mean(p_values <= alpha) <= alpha + 3 * math.sqrt(alpha * (1 - alpha) / 2000)


def test_interval_and_p_value_tell_the_same_story():
    rng = np.random.default_rng(8)
    clear = compare(rng.normal(0.5, 1, 200), rng)
    nothing = compare(rng.normal(0.0, 1, 200), rng)
    assert clear.difference.low > 0
    assert clear.p_value < 0.001
    assert nothing.difference.low < 0 < nothing.difference.high
    assert nothing.p_value > 0.05
