"""The worlds are as they say; in them intervals cover and tests are wrong as often as they say, and no less honestly.

Seeds are fixed, so that no test is a matter of luck; the bounds are the nominal ones and three Monte Carlo errors. The
longer run that docstrings quote is the one that `GRID` states.
"""

import numpy as np
import pytest

from r2rec_bench.statistics.power import minimum_detectable_effect
from r2rec_bench.statistics.seeds import SeedSpread
from r2rec_bench.statistics.simulation import Rate, World, calibrate, hits


def at_most(rate: Rate, bound: float) -> bool:
    return rate.value <= bound + 3 * rate.error


def at_least(rate: Rate, bound: float) -> bool:
    return rate.value >= bound - 3 * rate.error


def test_hits_are_as_the_world_says():
    world = World(40_000, 2, rate=0.3, alike=0.6, shared=0.25)
    a, b = hits(world, np.random.default_rng(0), 2, effect=0.02)
    assert (a.shape, set(np.unique(a))) == ((40_000, 2), {0.0, 1.0})
    assert (a.mean(), b.mean()) == pytest.approx((0.32, 0.3), abs=0.008)
    assert np.corrcoef(b.T)[0, 1] == pytest.approx(0.6, abs=0.02)
    assert np.corrcoef(a[:, 0], b[:, 0])[0, 1] == pytest.approx(0.25 * 0.6, abs=0.02)


def test_seeds_lie_as_far_apart_as_the_world_says():
    world = World(10_000, 500, seed_sd=0.02)
    means = hits(world, np.random.default_rng(0), 1)[0].mean(axis=0)
    # Hits of the same users: what is left of chance within a seed is 0.25 × 0.3 / 10000.
    assert means.std() == pytest.approx(np.sqrt(0.02**2 + 0.25 * 0.3 / 10_000), rel=0.1)


def test_from_one_seed_intervals_and_tests_keep_their_word_about_that_seed():
    found = calibrate(World(300, 1), repeats=250, seed=1)
    for covered in (found.mean_covered, found.difference_covered):
        assert at_least(covered, 0.94)
        assert at_most(covered, 0.96)
    assert at_most(found.found, 0.05)
    assert at_most(found.family_found, 0.05)


def test_one_seed_is_no_ground_to_tell_a_system_from_itself():
    """What several seeds are for, and that a calibration can fail."""
    found = calibrate(World(1000, 1, seed_sd=0.02, shared=1.0), repeats=100, seed=2, resamples=199)
    assert found.found.value > 0.15
    assert found.difference_covered.value < 0.85


@pytest.mark.parametrize(
    "world",
    [
        pytest.param(World(300, 3, rate=0.3, seed_sd=0.005), id="users decide"),
        pytest.param(World(1000, 3, seed_sd=0.02), id="seeds decide"),
        pytest.param(World(1000, 3, seed_sd=0.02, shared=1.0), id="A/A"),
        pytest.param(World(300, 2, rate=0.7, seed_sd=0.02), id="two seeds"),
    ],
)
def test_from_several_seeds_they_keep_it_about_all_seeds(world):
    found = calibrate(world, repeats=100, seed=3, resamples=199)
    assert at_least(found.mean_covered, 0.95)
    assert at_least(found.difference_covered, 0.95)
    assert at_most(found.found, 0.05)
    assert at_most(found.family_found, 0.05)


def test_with_ten_seeds_there_is_nothing_left_to_be_cautious_about():
    found = calibrate(World(300, 10, seed_sd=0.02), repeats=100, seed=4, resamples=199)
    assert at_most(found.mean_covered, 0.96)
    assert at_most(found.difference_covered, 0.96)


@pytest.mark.parametrize("seeds", [3, 5])
def test_an_effect_that_is_called_detectable_is_found_about_four_times_in_five(seeds):
    world = World(500, seeds, seed_sd=0.01)
    a, b = hits(World(100_000, 2, shared=world.shared), np.random.default_rng(0), 2)
    covariance = np.cov((a - b).T)
    residual, users = covariance[0, 0] - covariance[0, 1], covariance[0, 1]
    sd = np.sqrt(users + residual / seeds)
    between = np.sqrt(2 * world.seed_sd**2 + residual / world.users)
    effect = minimum_detectable_effect(world.users, sd, SeedSpread(seeds, between, users / sd**2))
    found = calibrate(world, repeats=150, seed=5, rivals=1, effect=effect, resamples=199).found
    assert 0.7 - 3 * found.error <= found.value <= 0.8 + 3 * found.error


def test_a_calibration_can_be_had_again():
    first, again, other = (calibrate(World(50, 1), repeats=40, seed=seed, resamples=99) for seed in (0, 0, 1))
    assert first == again
    assert first != other
