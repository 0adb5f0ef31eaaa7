"""Shares of a gain by hand, against Fieller's interval, and where there is no gain."""

import math

import numpy as np
import pytest

from r2rec_bench.core.errors import InputError
from r2rec_bench.statistics.bootstrap import mean_interval
from r2rec_bench.statistics.share import share


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def fieller(part: np.ndarray, whole: np.ndarray, z: float = 1.959964) -> tuple[float, float]:
    """The ratios r at which mean(part - r whole) is within z of its standard errors of 0."""
    n = len(part)
    a, b = part.mean(), whole.mean()
    (va, cab), (_, vb) = np.cov(part, whole) / n
    quadratic = [b * b - z * z * vb, -2 * (a * b - z * z * cab), a * a - z * z * va]
    low, high = sorted(np.roots(quadratic).real)
    return low, high


def test_a_share_is_the_ratio_of_the_means():
    part, whole = np.tile([1.0, 0, 0, 0], 50), np.tile([1.0, 1, 0, 0], 50)
    got = share(part, whole, rng())
    assert (got.value, got.part.mean, got.whole.mean, got.whole.n) == (0.5, 0.25, 0.5, 200)
    assert got.established
    assert got.low < 0.5 < got.high


def test_over_a_whole_that_is_the_same_for_all_it_is_the_interval_of_the_part():
    part = np.repeat([1.0, 0.0, -1.0], [90, 80, 30])
    got = share(part, np.ones(200), rng())
    expected = mean_interval(part, rng(1))
    assert (got.low, got.high) == pytest.approx((expected.low, expected.high), abs=0.01)
    assert (got.part.low, got.part.high) == (got.low, got.high)


@pytest.mark.parametrize("times", [1, 2, -1, 0])
def test_what_goes_with_the_whole_user_by_user_is_known_for_sure(times):
    whole = np.repeat([1.0, 0.0, -1.0], [60, 120, 20])
    got = share(times * whole, whole, rng())
    assert (got.value, got.low, got.high) == (times, times, times)


@pytest.mark.parametrize("seed", range(5))
def test_it_agrees_with_fiellers_interval(seed):
    draws = rng(seed)
    untrained, carried, own = ((draws.random(1000) < p).astype(float) for p in (0.40, 0.45, 0.52))
    part, whole = carried - untrained, own - untrained
    got = share(part, whole, rng())
    assert (got.low, got.high) == pytest.approx(fieller(part, whole), abs=0.1)


def test_a_gain_whose_interval_reaches_nothing_has_no_shares():
    whole = np.repeat([1.0, 0.0, -1.0], [55, 95, 50])
    got = share(np.ones(200), whole, rng())
    assert not got.established
    assert all(map(math.isnan, (got.value, got.low, got.high)))
    assert got.whole.low <= 0 < got.whole.mean == 0.025
    assert got.part.mean == 1


def test_neither_has_a_loss():
    assert not share(np.ones(200), -np.ones(200), rng()).established


def test_resamples_without_a_gain_count_as_beyond_both_ends():
    """At a level of 0.5 a tenth of the resamples may be without a gain and the gain be established."""
    part, whole = np.tile([1.0, 0.0, 0.0], 80), np.repeat([1.0, 0.0, -1.0], [84, 90, 66])
    got = share(part, whole, rng(), level=0.5)
    assert got.established
    drawn = rng(1).integers(240, size=(10_000, 240))
    wholes, parts = whole[drawn].mean(axis=1), part[drawn].mean(axis=1)
    without = (wholes <= 0).mean()
    assert 0.02 < without < 0.25
    ratios = np.sort(parts[wholes > 0] / wholes[wholes > 0])
    naive = np.quantile(ratios, [0.25, 0.75])
    wider = np.quantile(ratios, [(0.25 - without) / (1 - without), 0.75 / (1 - without)])
    assert (got.low, got.high) == pytest.approx(wider, rel=0.1)
    assert got.low < naive[0] < naive[1] < got.high


def test_users_without_a_value_are_left_out_and_counted():
    got = share(np.array([1.0, np.nan, 1.0, 0.0]), np.array([1.0, 1.0, 1.0, np.nan]), rng())
    assert (got.value, got.whole.n, got.whole.missing) == (1, 2, 2)
    with pytest.raises(InputError, match="1 of 2 users have a value under all systems"):
        share(np.array([1.0, np.nan]), np.ones(2), rng())


def test_seeds_that_agree_change_nothing():
    part, whole = np.repeat([1.0, 0.0, -1.0], [60, 120, 20]), np.repeat([1.0, 0.0], [150, 50])
    assert share(np.tile(part, (3, 1)).T, np.tile(whole, (3, 1)).T, rng()) == share(part, whole, rng())


def test_seeds_that_differ_widen_a_share_by_their_t_interval():
    """No user differs from another, so that seeds are all there is: 0.2 ± t(0.975, 2) × 0.1 / √3."""
    part = np.tile([0.1, 0.2, 0.3], (50, 1))
    got = share(part, np.ones((50, 3)), rng())
    reach = 4.302653 * 0.1 / math.sqrt(3)
    for low, value, high in [(got.low, got.value, got.high), (got.part.low, got.part.mean, got.part.high)]:
        assert (low, value, high) == pytest.approx((0.2 - reach, 0.2, 0.2 + reach))


def test_a_gain_that_its_seeds_leave_open_is_not_established():
    one, seeds = np.repeat([1.0, 0.0], [20, 80]), np.array([1.0, 0.0, -0.4])
    assert share(one, one, rng()).established
    assert not share(np.outer(one, seeds), np.outer(one, seeds), rng()).established


def test_what_seeds_move_in_part_and_whole_alike_leaves_their_ratio_alone():
    whole = np.repeat([1.0, 0.0], [120, 80])[:, None] * np.array([0.9, 1.0, 1.1])
    got = share(whole / 2, whole, rng())
    assert (got.value, got.low, got.high) == pytest.approx((0.5, 0.5, 0.5))
    assert got.part.low < got.part.mean - 0.05


def test_with_three_seeds_it_holds_the_truth_as_often_as_it_says():
    """Users and seeds move both gains: 0.10 of 0.20 is a half."""
    draws, held, times = rng(), 0, 200
    for _ in range(times):
        users, seeds = 300, draws.normal(0, 0.02, (2, 3))
        part = (draws.random((users, 3)) < 0.55 + seeds[0]) * 1.0 - (draws.random((users, 3)) < 0.45)
        whole = (draws.random((users, 3)) < 0.60 + seeds[1]) * 1.0 - (draws.random((users, 3)) < 0.40)
        got = share(part, whole, draws, resamples=400)
        held += not got.established or got.low <= 0.5 <= got.high
    assert held / times >= 0.93


@pytest.mark.parametrize("seeds", [1, 3])
def test_every_part_of_a_whole_finds_the_same_whole(seeds):
    """Else one cell of a column could call the in-domain gain established, and the next one not."""
    draws = rng()
    whole, one, other = (draws.integers(-1, 2, (60, seeds)) * 1.0 for _ in range(3))
    assert share(one, whole, rng(1)).whole == share(other, whole, rng(1)).whole == share(whole, whole, rng(1)).whole
