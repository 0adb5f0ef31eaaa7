"""Verdicts on hits whose truth is known: what is found is said, and what does not hold as well."""

import numpy as np
import pytest

from r2rec_bench.calibration.again import compared_with_itself
from r2rec_bench.calibration.claims import claims, detectable_rises, rank_correlation
from r2rec_bench.calibration.definition import read_calibration
from r2rec_bench.calibration.run import Done, Measured
from r2rec_bench.report.comparisons import against
from r2rec_bench.statistics.simulation import Calibration, Rate, World

USERS, SEEDS = 200, 3


def hits(rate: float, purpose: int) -> np.ndarray:
    """As many users as the rate says, each seed others, (users, seeds)."""
    rng = np.random.default_rng(purpose)
    wins = np.arange(USERS) < rate * USERS
    return np.column_stack([rng.permutation(wins) for _ in range(SEEDS)]) * 1.0


@pytest.fixture
def done(written, row_with):
    """Builds what a calibration found from the hit rates of the full system and its ablation in each world."""
    planned = read_calibration(written.file)

    def build(full: list[float], ablated: list[float], *, covered: float = 0.95, moody: bool = False) -> Done:
        rates = [Rate(value, 0.005) for value in (0.95, covered, 0.05, 0.05)]
        unsaid = Calibration(World(50, 1, seed_sd=0.1), *[Rate(0.5, 0.001)] * 4)
        runs = np.linspace(0.1, 0.9, 8) if moody else [0.5] * 8
        row = row_with("itself", np.column_stack([hits(rate, 7)[:, 0] for rate in runs]))
        again = [compared_with_itself(planned.again[0], row, 2, rounds=4)]
        measured = [
            Measured(
                world,
                0.5,
                full_row := row_with(f"full {world.effect}", hits(one, 1)),
                against(full_row, [row_with(f"without {world.effect}", hits(other, 2))]),
            )
            for world, one, other in zip(planned.worlds, full, ablated, strict=True)
        ]
        return Done(planned, (Calibration(World(50, 3), *rates), unsaid), tuple(again), tuple(measured))

    return build


def verdicts(done: Done) -> list[bool]:
    return [claim.holds for claim in claims(done)]


def test_a_bench_that_finds_what_is_there_and_nothing_else_holds(done):
    found = done([0.2, 0.7], [0.2, 0.2])
    assert verdicts(found) == [True] * 5
    assert rank_correlation(found.planted, 0) == pytest.approx(1)


def test_a_rise_that_users_of_two_worlds_could_not_show_is_told(done):
    found = done([0.2, 0.7], [0.2, 0.2])
    first, last = (one.comparisons.pairs[0].detectable for one in found.planted)
    assert detectable_rises(found.planted, 0) == pytest.approx([(first**2 + last**2) ** 0.5])
    assert first < last < 0.2
    assert claims(found)[-1].ground.endswith(f"a rise of {(first**2 + last**2) ** 0.5:.3f}")


def test_a_difference_where_nothing_was_planted_is_told(done):
    assert verdicts(done([0.9, 0.95], [0.1, 0.1])) == [True, True, False, True, True]


def test_an_effect_that_is_missed_is_told(done):
    found = done([0.3, 0.2], [0.3, 0.25])
    assert verdicts(found) == [True, True, True, False, False]
    assert rank_correlation(found.planted, 0) == pytest.approx(-1)


def test_an_ablation_that_is_better_is_not_worse(done):
    assert verdicts(done([0.2, 0.2], [0.2, 0.8]))[3] is False


def test_intervals_that_cover_too_little_are_told_and_what_was_never_promised_is_not(done):
    first, *_ = claims(done([0.2, 0.7], [0.2, 0.2], covered=0.9))
    assert not first.holds
    assert first.ground.startswith("0 of 1 worlds")


def test_a_system_that_is_told_from_itself_is_told(done, monkeypatch):
    """No such statistics are here: they are made to forget the seeds."""
    assert verdicts(done([0.2, 0.7], [0.2, 0.2], moody=True))[1] is True
    from r2rec_bench.statistics.seeds import SeedSpread

    monkeypatch.setattr(SeedSpread, "p_value", lambda self, mean, users_p_value: users_p_value)
    assert verdicts(done([0.2, 0.7], [0.2, 0.2], moody=True))[1] is False
