"""What a calibration was to show, and whether it did: a finding either way, and never hidden."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.stats import rankdata

from r2rec_bench.calibration.again import Found, pooled
from r2rec_bench.calibration.run import Done, Measured
from r2rec_bench.report.comparisons import ALPHA, Paired
from r2rec_bench.report.table import number
from r2rec_bench.report.values import LEVEL
from r2rec_bench.statistics.simulation import Calibration as Simulation

_ERRORS = 3
"""Monte Carlo errors that a simulated rate may lie on the wrong side of what is stated."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim and its verdict.

    Attributes:
        text: what is claimed.
        holds: whether what was measured agrees with it.
        ground: what was measured.
    """

    text: str
    holds: bool
    ground: str


def claims(done: Done) -> tuple[Claim, ...]:
    """All of them, in the order of the report."""
    return (_simulated(done), *_again(done), *_planted(done))


def promised(simulation: Simulation) -> bool:
    """Whether the statistics promise anything there: not about other seeds from one, where seeds differ."""
    return simulation.world.seeds > 1 or simulation.world.seed_sd == 0


def kept(simulation: Simulation) -> bool:
    """Whether they keep what they promise."""
    covered, found = simulation.difference_covered, simulation.found
    return covered.value >= LEVEL - _ERRORS * covered.error and found.value <= ALPHA + _ERRORS * found.error


def _simulated(done: Done) -> Claim:
    judged = [one for one in done.simulated if promised(one)]
    n_kept = sum(map(kept, judged))
    return Claim(
        "On drawn hits, intervals of a difference hold the truth in at least 95 % of cases, and tests between equals "
        "find something in at most 5 %",
        n_kept == len(judged),
        f"{n_kept} of {len(judged)} worlds, to within {_ERRORS} Monte Carlo errors",
    )


def _again(done: Done) -> Iterator[Claim]:
    seeds = done.planned.calibration.seeds
    for data in done.planned.calibration.again.data:
        all_of = pooled([one for one in done.again if one.cell.data == data and one.size == seeds])
        yield Claim(
            f"On {data}, a system under {counted(seeds)} is told from itself under other seeds in at most 5 % of "
            "comparisons",
            all_of.share <= all_of.bound,
            f"{percent(all_of.share)} of {all_of.dealt:,} comparisons, {all_of.independent} of them independent: above "
            f"{percent(all_of.bound)} it would not hold",
        )


def _planted(done: Done) -> Iterator[Claim]:
    first, *_, last = done.planted
    yield Claim(
        "Where nothing is planted, no ablation differs",
        not any(pair.significant for pair in first.comparisons.pairs),
        "; ".join(map(_judged, first.comparisons.pairs)),
    )
    yield Claim(
        f"At a peer effect of {last.world.effect:g}, every ablation is worse",
        all(pair.significant and pair.comparison.difference.low > 0 for pair in last.comparisons.pairs),
        "; ".join(map(_judged, last.comparisons.pairs)),
    )
    for place, pair in enumerate(first.comparisons.pairs):
        found = estimates(done.planted, place)
        yield Claim(
            f"What {pair.row.label} loses grows with what is planted",
            all(lower < higher for lower, higher in pairwise(found)),
            f"{', '.join(f'{value:+.3f}' for value in found)}; Spearman's rank correlation "
            f"{number(rank_correlation(done.planted, place), 2)}; with probability 0.8 is found a rise of "
            f"{', then '.join(map(number, detectable_rises(done.planted, place)))}",
        )


def estimates(planted: tuple[Measured, ...], place: int) -> list[float]:
    """The differences to one of the ablations, world by world."""
    return [one.comparisons.pairs[place].comparison.difference.mean for one in planted]


def detectable_rises(planted: tuple[Measured, ...], place: int) -> list[float]:
    """By how much an ablation's true loss has to rise from each world to the next to be found with probability 0.8.

    The users of two worlds are others, and so errors add up as squares do; NaN where no user differs.
    """
    losses = [one.comparisons.pairs[place].detectable for one in planted]
    return [math.hypot(*pair) for pair in pairwise(losses)]


def rank_correlation(planted: tuple[Measured, ...], place: int) -> float:
    """Spearman's, of what was planted and the estimates; NaN where all estimates are the same."""
    # Spearman's is that of the ranks; the effects ascend.
    ranks = rankdata(estimates(planted, place))
    return float(np.corrcoef(np.arange(len(ranks)), ranks)[0, 1]) if ranks.std() else math.nan


def single(done: Done) -> list[Found]:
    """What single runs make of each other."""
    return [one for one in done.again if one.size == 1]


def percent(share: float) -> str:
    """With one decimal."""
    return f"{100 * share:.1f} %"


def _judged(pair: Paired) -> str:
    difference = pair.comparison.difference
    interval = f"[{difference.low:+.3f}, {difference.high:+.3f}]"
    return f"{pair.row.label} {difference.mean:+.3f} {interval}, p = {pair.adjusted:.4f}"


def counted(seeds: int) -> str:
    """Seeds in words."""
    return f"{seeds} seed{'s' if seeds > 1 else ''}"
