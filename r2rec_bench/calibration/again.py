"""A system against itself: how often two groups of its own runs, under other seeds, are told apart."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from r2rec_bench.calibration.definition import Cell
from r2rec_bench.core.seeds import generator
from r2rec_bench.core.types import FloatArray
from r2rec_bench.report.comparisons import ALPHA, METRIC
from r2rec_bench.report.study import Row
from r2rec_bench.report.values import LEVEL
from r2rec_bench.statistics.paired import compare


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A system's comparisons with itself.

    Attributes:
        cell: the system and its data.
        row: all its runs.
        size: seeds in each of the two groups of a comparison.
        p_values: float64 (rounds, pairs); the pairs of a round share no run.
    """

    cell: Cell
    row: Row
    size: int
    p_values: FloatArray

    @property
    def share(self) -> float:
        """Comparisons that find a difference, in [0, 1]."""
        return float((self.p_values <= ALPHA).mean())

    @property
    def independent(self) -> int:
        """Comparisons that share no run."""
        return self.p_values.shape[1]

    @property
    def seed_sd(self) -> float:
        """Standard deviation of HR@1 between the runs."""
        return float(np.std([result.mean(METRIC) for result in self.row.results], ddof=1))


@dataclass(frozen=True, slots=True)
class Pooled:
    """Several systems' comparisons with themselves on one data set.

    Attributes:
        share: that find a difference, in [0, 1].
        independent: comparisons that share no run.
        dealt: comparisons in all.
    """

    share: float
    independent: int
    dealt: int

    @property
    def error(self) -> float:
        """At most the standard error of the share, if its expectation is 5 %.

        Comparisons of one round share no run and are independent, given the users. Further rounds deal the same runs
        anew and are not; the mean over rounds varies no more than one round does, so one round's error is a bound.
        """
        return math.sqrt(ALPHA * (1 - ALPHA) / self.independent)

    @property
    def bound(self) -> float:
        """A share above it contradicts a rate of 5 %."""
        return ALPHA + 2 * self.error


def pooled(found: Sequence[Found]) -> Pooled:
    """All of `found`, at least one, each weighed by its independent comparisons."""
    weights = [one.independent for one in found]
    share = float(np.average([one.share for one in found], weights=weights))
    return Pooled(share, sum(weights), sum(one.p_values.size for one in found))


def compared_with_itself(cell: Cell, row: Row, size: int, rounds: int) -> Found:
    """Every pair of groups that is dealt, compared as in a report.

    Args:
        cell: the system and its data.
        row: its runs, at least 2 × `size`.
        size: seeds in a group.
        rounds: how often all runs are dealt.
    """
    values = row.values(METRIC)
    rng = generator(row.result.seed, "again", cell.title, size)
    groups = np.array(list(deal(len(row.runs), size, rounds, rng)))
    p_values = [compare(values[:, a] - values[:, b], rng, level=LEVEL).p_value for a, b in groups]
    return Found(cell, row, size, np.array(p_values).reshape(rounds, -1))


def deal(runs: int, size: int, rounds: int, rng: np.random.Generator) -> Iterator[tuple[list[int], list[int]]]:
    """Pairs of disjoint groups of runs, runs // (2 × size) in a round; the pairs of a round share no run either.

    Args:
        runs: how many there are.
        size: of a group.
        rounds: how often all are dealt.
        rng: for the order.
    """
    for _ in range(rounds):
        order = rng.permutation(runs).tolist()
        for start in range(0, runs - 2 * size + 1, 2 * size):
            yield order[start : start + size], order[start + size : start + 2 * size]
