"""How far a mean over users might have come out otherwise: bootstrap intervals."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from r2rec_bench.core.types import FloatArray
from r2rec_bench.statistics.seeds import complete, seed_spread

RESAMPLES = 10_000
"""Unless another number is asked for."""
_BLOCK = 256
"""Resamples drawn at once: 256 × 6,040 users are 12 MB."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over users and its interval.

    Attributes:
        mean: over the users who have a value; NaN when none has.
        low: lower end; NaN with fewer than two users.
        high: upper end; likewise.
        n: users with a value, under every seed where there are several; seeds are never counted as users.
        missing: users without, left out.
    """

    mean: float
    low: float
    high: float
    n: int
    missing: int


def mean_interval(
    values: FloatArray, rng: np.random.Generator, *, level: float = 0.95, resamples: int = RESAMPLES
) -> Interval:
    """Percentile bootstrap interval of a mean over users.

    The percentile form suffices for a mean of hundreds of bounded values (its coverage is tested), and any increasing
    function of its ends is the interval of that function of the mean. Values that are all alike (HR@1 = 0) give width
    0: resampling can tell no more, which does not make the mean certain.

    With several seeds it is the interval of users' means over seeds, each side widened by what seeds differ by
    (`SeedSpread.reach`), so that it stands for other users and other seeds, and never beyond the values.

    Args:
        values: one per user, float64 (q,) or, by seed, (q, s), NaN where undefined.
        rng: for the resamples.
        level: coverage, in (0, 1).
        resamples: how many.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
    """
    table = complete(values)
    known = table.mean(axis=1)
    n, missing = len(known), len(values) - len(known)
    if n < 2:
        return Interval(float(known[0]) if n else math.nan, math.nan, math.nan, n, missing)
    mean = float(known.mean())
    low, high = np.quantile(resampled_means(known, rng, resamples), [(1 - level) / 2, (1 + level) / 2]).tolist()
    spread = seed_spread(table)
    if spread.n > 1:
        # Two seeds far apart would put an end where no mean can be, such as a squared error below 0, without a root.
        low = max(mean - spread.reach(mean - low, level), float(table.min()))
        high = min(mean + spread.reach(high - mean, level), float(table.max()))
    return Interval(mean, low, high, n, missing)


def resampled_means(values: FloatArray, rng: np.random.Generator, resamples: int) -> FloatArray:
    """Means of `resamples` draws with replacement, each as large as `values`, float64 (resamples,).

    Args:
        values: float64 (n,), n at least 1, no NaN.
        rng: for the draws.
        resamples: how many.
    """
    n = len(values)
    distinct, counts = np.unique(values, return_counts=True)
    # Rank metrics take few values: how often each is drawn is multinomial, which spares drawing every user.
    # A multinomial cell costs about ten times an index, hence the threshold.
    if 10 * len(distinct) <= n:
        blocks = (rng.multinomial(n, counts / n, size=size) @ distinct / n for size in block_sizes(resamples))
    else:
        blocks = (values[rng.integers(n, size=(size, n))].mean(axis=1) for size in block_sizes(resamples))
    return np.concatenate(list(blocks))


def block_sizes(total: int) -> Iterator[int]:
    """`total` resamples in parts small enough for memory."""
    for start in range(0, total, _BLOCK):
        yield min(_BLOCK, total - start)
