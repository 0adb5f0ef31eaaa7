"""A system against itself: how runs are dealt, and what one seed and several find."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from r2rec_bench.calibration.again import compared_with_itself, deal, pooled
from r2rec_bench.calibration.definition import read_calibration
from r2rec_bench.statistics.simulation import World, hits


@given(size=st.integers(1, 5), pairs=st.integers(1, 5), spare=st.integers(0, 9), rounds=st.integers(1, 4))
def test_groups_share_no_run_within_a_round_and_are_as_many_as_there_can_be(size, pairs, spare, rounds):
    runs = 2 * size * pairs + spare % (2 * size)
    dealt = list(deal(runs, size, rounds, np.random.default_rng(spare)))
    assert len(dealt) == rounds * pairs
    for start in range(0, len(dealt), pairs):
        together = [run for a, b in dealt[start : start + pairs] for run in (*a, *b)]
        assert len(together) == len(set(together)) == 2 * size * pairs
        assert set(together) <= set(range(runs))
    assert all(len(a) == len(b) == size for a, b in dealt)


def test_rounds_deal_anew():
    first, second = (list(deal(12, 3, 2, np.random.default_rng(0)))[k : k + 2] for k in (0, 2))
    assert first != second


@pytest.fixture
def cell(written):
    return read_calibration(written.file).again[0]


def test_identical_runs_are_never_told_apart(cell, row_with):
    same = np.repeat(np.random.default_rng(0).integers(0, 2, (80, 1)) * 1.0, 8, axis=1)
    for size in (1, 2, 4):
        found = compared_with_itself(cell, row_with("same", same), size, rounds=3)
        assert (found.p_values == 1).all()
        assert (found.share, found.seed_sd, found.independent) == (0, 0, 4 // size)


def test_where_seeds_matter_one_is_too_few_and_several_are_enough(cell, row_with):
    world = World(400, 24, seed_sd=0.04, shared=1.0)
    row = row_with("moody", hits(world, np.random.default_rng(3), 1)[0])
    one, several = (pooled([compared_with_itself(cell, row, size, rounds=4)]) for size in (1, 3))
    assert (one.dealt, one.independent, several.dealt, several.independent) == (48, 12, 16, 4)
    assert one.share > one.bound
    assert several.share <= several.bound


def test_systems_are_pooled_by_what_each_can_tell(cell, row_with):
    rng = np.random.default_rng(1)
    split = np.repeat(np.array([[0.0, 1.0]]), 60, axis=0)  # two runs that differ on every user
    noise = rng.integers(0, 2, (60, 6)) * 1.0
    apart = compared_with_itself(cell, row_with("apart", split), 1, rounds=2)
    alike = compared_with_itself(cell, row_with("alike", noise[:, [0] * 6]), 1, rounds=2)
    assert (apart.share, alike.share) == (1, 0)
    together = pooled([apart, alike])
    assert together.share == pytest.approx(1 / 4)
    assert together.error == pytest.approx(np.sqrt(0.05 * 0.95 / 4))
    assert together.bound == pytest.approx(0.05 + 2 * together.error)
