"""How much of one gain another reaches: a ratio of two means over the same users, with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.types import FloatArray
from r2rec_bench.statistics.bootstrap import RESAMPLES, Interval, block_sizes
from r2rec_bench.statistics.seeds import SeedSpread, seed_spread


@dataclass(frozen=True, slots=True)
class Share:
    """A share of a gain.

    Attributes:
        value: mean of the part over mean of the whole, 1 for all of it; may be negative or above 1. NaN where the
            whole is not established.
        low: lower end; NaN likewise.
        high: upper end; NaN likewise.
        part: the gain that is a share of the other.
        whole: the other.
    """

    value: float
    low: float
    high: float
    part: Interval
    whole: Interval

    @property
    def established(self) -> bool:
        """Whether there is a gain of which something can be a share."""
        return self.whole.low > 0


def share(
    part: FloatArray,
    whole: FloatArray,
    rng: np.random.Generator,
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Share:
    """Mean of `part` over mean of `whole`, with a paired percentile bootstrap interval.

    A ratio is wild where its denominator may be 0. So none is given unless the interval of the whole, of the same
    resamples, lies above 0: the condition under which Fieller's interval is bounded, and on the side of a gain. The
    few resamples in which the whole is not above 0 have no ratio; they count as beyond the lower and the upper end
    both, which can only widen the interval. It agrees with Fieller's for hundreds of users (tested).

    With several seeds each interval is that of users' means over seeds, widened by what seeds differ by as every mean's
    is; of the ratio that is what part - value × whole differs by, over the mean of the whole (delta method).

    Args:
        part: one gain per user, float64 (q,) or, by seed, (q, s), NaN where undefined.
        whole: the other, of the same users and seeds.
        rng: for the resamples; the same one gives every part of a whole the same resamples, and the whole one interval.
        level: coverage, in (0, 1).
        resamples: how many.

    Raises:
        InputError: fewer than two users have both.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13; Fieller, "Some problems in
    interval estimation", JRSS B 16(2), 1954.
    """
    both = np.stack([part, whole])
    both = both[..., None] if both.ndim == 2 else both
    parts, wholes = both[:, ~np.isnan(both).any(axis=(0, 2))]
    of_part, of_whole, n = parts.mean(axis=1), wholes.mean(axis=1), len(parts)
    if n < 2:
        raise InputError(f"{n} of {len(part)} users have a value under all systems; a share needs at least two")
    # Users are drawn, not values: with the same generator every part of a whole has the same resamples of it.
    blocks = (rng.integers(n, size=(size, n)) for size in block_sizes(resamples))
    drawn = [(of_part[users].mean(axis=1), of_whole[users].mean(axis=1)) for users in blocks]
    drawn_parts, drawn_wholes = np.concatenate(drawn, axis=1)
    mean, whole_mean = float(of_part.mean()), float(of_whole.mean())
    tails = [(1 - level) / 2, (1 + level) / 2]

    def interval(value: float, lower: FloatArray, upper: FloatArray, seeds: SeedSpread) -> Interval:
        # Ends that are resamples themselves, since between a number and infinity there is none.
        low = float(np.quantile(lower, tails[0], method="inverted_cdf"))
        high = float(np.quantile(upper, tails[1], method="inverted_cdf"))
        if seeds.n > 1:
            low, high = value - seeds.reach(value - low, level), value + seeds.reach(high - value, level)
        return Interval(value, low, high, n, len(part) - n)

    one = interval(mean, drawn_parts, drawn_parts, seed_spread(parts))
    all_ = interval(whole_mean, drawn_wholes, drawn_wholes, seed_spread(wholes))
    if all_.low <= 0:
        return Share(math.nan, math.nan, math.nan, one, all_)
    value, gained = mean / whole_mean, drawn_wholes > 0
    ratios = np.divide(drawn_parts, drawn_wholes, out=np.zeros_like(drawn_parts), where=gained)
    lower, upper = np.where(gained, ratios, -np.inf), np.where(gained, ratios, np.inf)
    found = interval(value, lower, upper, seed_spread((parts - value * wholes) / whole_mean))
    return Share(found.mean, found.low, found.high, one, all_)
