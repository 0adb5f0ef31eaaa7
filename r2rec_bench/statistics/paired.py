"""Two systems on the same users: is the difference more than chance?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.types import FloatArray
from r2rec_bench.evaluation.results import UserTable
from r2rec_bench.statistics.bootstrap import RESAMPLES, Interval, block_sizes, mean_interval
from r2rec_bench.statistics.seeds import SeedSpread, complete, seed_spread


@dataclass(frozen=True, slots=True)
class Comparison:
    """System a against system b, paired by user.

    Attributes:
        difference: mean of a − b, with its interval; users without a value under either are left out and counted.
        p_value: two-sided, in (0, 1], never 0.
        wins: users for whom a is better, on average over seeds.
        ties: users for whom both are equal.
        losses: users for whom b is better.
        sd: standard deviation of the users' differences, averaged over seeds, for power; NaN for a single user.
        seeds: how far the seeds' differences lie apart, for power.
    """

    difference: Interval
    p_value: float
    wins: int
    ties: int
    losses: int
    sd: float
    seeds: SeedSpread


def paired_differences(a: UserTable, b: UserTable, metric: str) -> FloatArray:
    """a − b of one metric for each user of `a`, float64 (q,), NaN where either is NaN.

    Raises:
        InputError: the two were not asked about the same users and positives, or one lacks the metric.
    """
    return a.values(metric) - in_order_of(a, b, metric)


def in_order_of(a: UserTable, b: UserTable, metric: str) -> FloatArray:
    """A metric of `b` for each user of `a`, float64 (q,).

    Raises:
        InputError: the two were not asked about the same users and positives, or `b` lacks the metric.
    """
    row = {user: index for index, user in enumerate(b.user_ids)}
    unshared = set(a.user_ids) ^ set(b.user_ids)
    if unshared:
        raise InputError(
            f"{len(unshared)} users have a result under one system only, e.g. '{min(unshared)}'; "
            "a paired comparison needs the same candidates for both"
        )
    order = [row[user] for user in a.user_ids]
    for user, item, index in zip(a.user_ids, a.item_ids, order, strict=True):
        if item != b.item_ids[index]:
            raise InputError(
                f"user '{user}' was asked about item '{item}' under one system and '{b.item_ids[index]}' under the "
                "other; a paired comparison needs the same candidates for both"
            )
    return b.values(metric)[order]


def compare(
    differences: FloatArray,
    rng: np.random.Generator,
    *,
    higher_is_better: bool = True,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Comparison:
    """Interval, p-value and score of a paired comparison.

    With several seeds the p-value is that of users' mean differences, raised by what seeds differ by as the interval
    is widened: two systems that differ by their seeds alone are told apart as seldom as the level says.

    Args:
        differences: a − b per user, float64 (q,) or, by seed, (q, s), NaN where undefined.
        rng: for resamples and sign flips.
        higher_is_better: false for errors; decides who wins a user.
        level: coverage of the interval.
        resamples: of the bootstrap, and of the permutation test.

    Raises:
        InputError: no user has a value under both systems.
    """
    known = complete(differences).mean(axis=1)
    if not len(known):
        raise InputError(f"none of the {len(differences)} users has a value under both systems: nothing to compare")
    gains = known if higher_is_better else -known
    seeds = seed_spread(differences)
    difference = mean_interval(differences, rng, level=level, resamples=resamples)
    return Comparison(
        difference=difference,
        p_value=seeds.p_value(difference.mean, sign_flip_p_value(known, rng, resamples)),
        wins=int((gains > 0).sum()),
        ties=int((gains == 0).sum()),
        losses=int((gains < 0).sum()),
        sd=float(known.std(ddof=1)) if len(known) > 1 else math.nan,
        seeds=seeds,
    )


def sign_flip_p_value(differences: FloatArray, rng: np.random.Generator, permutations: int) -> float:
    """Two-sided p-value of "a and b are exchangeable within each user", (b + 1) / (permutations + 1).

    Args:
        differences: float64 (n,), no NaN.
        rng: for the signs.
        permutations: how many sign patterns.

    Source: Phipson and Smyth, "Permutation p-values should never be zero", SAGMB 9(1), 2010.
    """
    # Users whose difference has one size share one binomial draw: how many of them keep a positive sign.
    sizes, counts = np.unique(np.abs(differences), return_counts=True)
    # Sums that are equal on paper differ by rounding; counting them as extreme keeps the test valid.
    threshold = abs(float(differences.sum())) - 1e-12 * float(sizes @ counts)
    extreme = 0
    for size in block_sizes(permutations):
        sums = (2 * rng.binomial(counts, 0.5, size=(size, len(sizes))) - counts) @ sizes
        extreme += int((np.abs(sums) >= threshold).sum())
    return (extreme + 1) / (permutations + 1)
