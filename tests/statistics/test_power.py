"""The minimum detectable effect by hand, against statsmodels, and by simulation with our own test."""

import math

import numpy as np
import pytest

from r2rec_bench.core.errors import InputError
from r2rec_bench.statistics.paired import sign_flip_p_value
from r2rec_bench.statistics.power import minimum_detectable_effect
from r2rec_bench.statistics.seeds import SeedSpread


def test_the_effect_by_hand():
    # (1.95996 + 0.84162) × 0.5 / √100
    assert minimum_detectable_effect(100, 0.5) == pytest.approx(0.140079, abs=1e-6)


def test_four_times_the_users_halve_the_effect():
    assert minimum_detectable_effect(400, 0.6) == pytest.approx(minimum_detectable_effect(100, 0.6) / 2)


def test_more_comparisons_and_more_power_need_a_larger_effect():
    plain = minimum_detectable_effect(300, 0.6)
    assert minimum_detectable_effect(300, 0.6, alpha=0.05 / 10) > plain
    assert minimum_detectable_effect(300, 0.6, power=0.9) > plain


def test_with_seeds_the_effect_by_hand():
    # t with two degrees of freedom is 4.30265; √(0.5 × 0.05² + 0.03² / 3) is less than 0.05.
    reach = math.hypot(math.sqrt(0.5) * 1.95996 * 0.05, 4.30265 * 0.03 / math.sqrt(3))
    found = minimum_detectable_effect(100, 0.5, SeedSpread(3, 0.03, 0.5))
    assert found == pytest.approx(reach + 0.84162 * 0.05, abs=1e-6)
    assert minimum_detectable_effect(100, 0.5, SeedSpread(3, 0.0, 1.0)) == minimum_detectable_effect(100, 0.5)


def test_statsmodels_agrees():
    power = pytest.importorskip("statsmodels.stats.power", reason="the oracle for power is not installed")
    theirs = power.TTestPower().solve_power(nobs=300, alpha=0.01, power=0.9)
    assert minimum_detectable_effect(300, 1.0, alpha=0.01, power=0.9) == pytest.approx(theirs, rel=0.01)


def test_an_effect_of_that_size_is_found_four_times_in_five():
    rng = np.random.default_rng(0)
    # Hits of two systems: the difference is −1, 0 or 1.
    n, sd = 1000, 0.6
    effect = minimum_detectable_effect(n, sd)
    disagree = sd**2 + effect**2
    chances = [(disagree - effect) / 2, 1 - disagree, (disagree + effect) / 2]
    differences = rng.choice([-1.0, 0.0, 1.0], p=chances, size=(2000, n))
    found = np.mean([sign_flip_p_value(row, rng, 499) <= 0.05 for row in differences])
    assert found == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n": 1}, "needs at least 2 users; got 1"),
        ({"alpha": 0.0}, "alpha must lie between 0 and 1; got 0.0"),
        ({"power": 1.0}, "power must lie between 0 and 1; got 1.0"),
    ],
)
def test_impossible_questions_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        minimum_detectable_effect(**{"n": 100, "sd": 1.0, **settings})
