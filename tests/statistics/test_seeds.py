"""Several seeds of the same users: by hand, against SciPy and statsmodels, and by what must not change."""

import math
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from r2rec_bench.statistics.bootstrap import RESAMPLES, mean_interval, resampled_means
from r2rec_bench.statistics.paired import compare, sign_flip_p_value
from r2rec_bench.statistics.seeds import ONE_SEED, SeedSpread, seed_spread


def table(rng, n=200, s=3, users=0.4, seeds=0.05, residual=0.4, mean=0.0):
    """Values by user and seed with the standard deviations given."""
    return mean + rng.normal(0, users, (n, 1)) + rng.normal(0, seeds, s) + rng.normal(0, residual, (n, s))


def test_the_spread_by_hand():
    # Users' means 1.5, 4.5, 6; seeds' means 3, 5; residuals ±0.5, ±0.5, 0. Mean squares: users 10.5, residual 0.5.
    spread = seed_spread(np.array([[1.0, 2], [3, 6], [5, 7]]))
    assert spread.n == 2
    assert spread.sd == pytest.approx(math.sqrt(2))
    assert spread.own == pytest.approx(20 / 21)


def test_the_reach_by_hand():
    # t with one degree of freedom is 12.7062; the seeds' means have a standard error of √2 / √2.
    spread = SeedSpread(2, math.sqrt(2), 0.75)
    assert spread.reach(4.0, 0.95) == pytest.approx(math.sqrt(0.75 * 16 + 12.7062**2), abs=1e-4)
    assert spread.error(4.0) == 4  # √(0.75 × 16 + 1) would be less than users alone
    assert SeedSpread(2, 8.0, 0.75).error(4.0) == pytest.approx(math.sqrt(0.75 * 16 + 32))


def test_statsmodels_finds_the_same_mean_squares():
    formula = pytest.importorskip("statsmodels.formula.api", reason="the oracle for mean squares is not installed")
    from statsmodels.stats.anova import anova_lm

    n, s = 12, 4
    values = table(np.random.default_rng(0), n, s)
    columns = pd.DataFrame({"y": values.ravel(), "user": np.repeat(np.arange(n), s), "seed": np.tile(np.arange(s), n)})
    squares = anova_lm(formula.ols("y ~ C(user) + C(seed)", columns).fit())["mean_sq"]
    spread = seed_spread(values)
    assert spread.own == pytest.approx(1 - squares["Residual"] / squares["C(user)"])
    assert n * spread.sd**2 == pytest.approx(squares["C(seed)"])


@pytest.mark.parametrize("shape", [(300,), (300, 1)])
def test_one_seed_is_the_bootstrap_and_the_permutation_test_to_the_bit(shape):
    differences = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], p=[0.2, 0.5, 0.3], size=300)
    rng = np.random.default_rng(1)
    low, high = np.quantile(resampled_means(differences, rng, RESAMPLES), [(1 - 0.95) / 2, (1 + 0.95) / 2])
    p_value = sign_flip_p_value(differences, rng, RESAMPLES)
    found = compare(differences.reshape(shape), np.random.default_rng(1))
    assert (found.difference.mean, found.difference.low, found.difference.high) == (differences.mean(), low, high)
    assert (found.p_value, found.sd, found.seeds) == (p_value, differences.std(ddof=1), ONE_SEED)


def test_a_system_that_ignores_its_seed_is_as_well_known_as_from_one():
    hits = np.random.default_rng(0).binomial(1, 0.3, (400, 1)) - 0.25
    once, thrice = (compare(np.repeat(hits, s, axis=1), np.random.default_rng(1)) for s in (1, 3))
    assert (thrice.difference.low, thrice.difference.high) == pytest.approx((once.difference.low, once.difference.high))
    assert thrice.p_value == pytest.approx(once.p_value)
    assert (thrice.seeds.sd, thrice.seeds.own) == pytest.approx((0, 1))


def test_where_users_do_not_differ_it_is_the_t_test_of_the_seeds_means():
    rng = np.random.default_rng(2)
    residual = rng.normal(size=(500, 4))
    seeds = np.array([0.3, 0.1, -0.05, 0.2])
    values = residual - residual.mean(axis=0) - residual.mean(axis=1)[:, None] + residual.mean() + seeds
    assert values.std(axis=0).min() > 0.5  # users differ under each seed, but not on average over seeds
    found = compare(values, rng)
    t = stats.t.interval(0.95, 3, seeds.mean(), stats.sem(seeds))
    assert (found.difference.low, found.difference.high) == pytest.approx(t)
    assert found.p_value == pytest.approx(stats.ttest_1samp(seeds, 0).pvalue)


def test_users_missing_under_any_seed_are_left_out_and_seeds_are_no_users():
    values = table(np.random.default_rng(0), 50)
    holes = values.copy()
    holes[3, 0] = holes[7] = np.nan
    found, without = (mean_interval(of, np.random.default_rng(1)) for of in (holes, np.delete(values, [3, 7], axis=0)))
    assert (found.n, found.missing) == (48, 2)
    assert (found.mean, found.low, found.high) == (without.mean, without.low, without.high)
    assert seed_spread(holes) == seed_spread(np.delete(values, [3, 7], axis=0))


def test_who_wins_a_user_is_settled_over_seeds():
    found = compare(np.array([[1.0, 0, 0], [1, -1, 0], [-1, -1, 1], [1, 1, 1]]), np.random.default_rng(0))
    assert (found.wins, found.ties, found.losses) == (2, 1, 1)
    assert found.sd == pytest.approx(np.std([1 / 3, 0, -1 / 3, 1], ddof=1))


def test_more_users_do_not_make_up_for_few_seeds():
    rng = np.random.default_rng(3)
    seeds = np.array([0.0, 0.1, 0.2])
    t = stats.t.ppf(0.975, 2) * 0.1 / math.sqrt(3)
    for n in (100, 1_000, 10_000):
        found = mean_interval(seeds + rng.normal(size=(n, 1)), rng, resamples=1_000)
        assert found.high - found.low == pytest.approx(2 * math.hypot(t, 1.96 / math.sqrt(n)), rel=0.05)


def test_no_interval_leaves_the_values():
    values = np.random.default_rng(0).binomial(1, [0.1, 0.9], (100, 2)).astype(float)
    found = mean_interval(values, np.random.default_rng(1))
    assert (found.low, found.high) == (0, 1)


@pytest.mark.parametrize(("q", "n"), [(0, 0), (1, 1), (4, 1)])
def test_too_few_users_have_no_interval_and_no_warning(q, n):
    values = np.full((q, 3), np.nan)
    values[:n] = [0.1, 0.2, 0.6]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found, spread = mean_interval(values, np.random.default_rng(0)), seed_spread(values)
        p_value = compare(values, np.random.default_rng(0)).p_value if n else 1
    assert (found.n, found.missing, p_value) == (n, q - n, 1)
    assert math.isnan(found.low)
    assert math.isnan(spread.own)
    assert spread.sd == pytest.approx(np.std([0.1, 0.2, 0.6], ddof=1), nan_ok=True) if n else math.isnan(spread.sd)


spreads = st.builds(SeedSpread, st.integers(2, 10), st.floats(0, 10), st.floats(0, 1))


@given(spreads, st.floats(0.001, 10), st.floats(-10, 10), st.integers(1, 10_000))
def test_seeds_only_ever_widen(spread, users_reach, mean, extreme):
    users_p_value = extreme / 10_000
    assert spread.reach(users_reach, 0.95) >= users_reach
    assert spread.error(users_reach) >= users_reach
    assert users_p_value <= spread.p_value(mean, users_p_value) <= 1


@given(spreads, st.floats(0.1, 10), st.integers(1, 9_999))
def test_the_p_value_is_where_the_interval_ends_at_0(spread, mean, extreme):
    p_value = spread.p_value(mean, extreme / 10_000)
    z = stats.norm.isf(extreme / 20_000)
    users_reach = mean * stats.norm.isf(p_value / 2) / z  # of an interval at level 1 − p
    assert spread.reach(users_reach, 1 - p_value) == pytest.approx(mean, rel=1e-6)


def test_the_order_of_users_and_seeds_tells_nothing():
    rng = np.random.default_rng(4)
    values = table(rng)
    mixed = values[rng.permutation(len(values))][:, [2, 0, 1]]
    assert seed_spread(mixed).sd == pytest.approx(seed_spread(values).sd)
    assert seed_spread(mixed).own == pytest.approx(seed_spread(values).own)


def test_interval_and_p_value_tell_the_same_story():
    rng = np.random.default_rng(5)
    found = [compare(table(rng, mean=mean), rng, resamples=2_000) for mean in np.linspace(0, 0.5, 40)]
    clear = [one for one in found if abs(one.p_value - 0.05) > 0.01]  # p-values from resamples are not exact
    told = [one.p_value <= 0.05 for one in clear]
    assert told == [not one.difference.low <= 0 <= one.difference.high for one in clear]
    assert {True, False} == set(told)
