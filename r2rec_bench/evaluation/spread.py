"""Over how many items recommendations spread, and how evenly: aggregates over all users, derived from stored tables.

With sampled candidates each user chooses among few items, so both are bounded by the lists: they say what a system
makes of what it was offered, and compare systems that were offered the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from r2rec_bench.core.types import FloatArray, Int64Array
from r2rec_bench.evaluation.results import UserTable


@dataclass(frozen=True, slots=True, eq=False)
class Aggregate:
    """A number about all users together.

    Attributes:
        value: NaN when nothing was recommended.
        without_each: the same without each user, float64 (q,), from which its spread is estimated.
    """

    value: float
    without_each: FloatArray


def coverage(users: UserTable, k: int) -> Aggregate:
    """Share of the items offered to anyone that are among the first k of anyone, 0 to 1.

    Offered are all items of all candidate lists.

    Source: catalogue coverage, Ge et al., "Beyond accuracy: evaluating recommender systems by coverage and
    serendipity", RecSys 2010; over the items offered in place of the catalogue.
    """
    lists, times = _coded(users, k)
    found = np.count_nonzero(times)
    lost = np.array([np.count_nonzero(times[items] == 1) for items in lists], np.float64)
    return Aggregate(found / users.offered if found else math.nan, (found - lost) / users.offered)


def gini(users: UserTable, k: int) -> Aggregate:
    """How unequally the first k places are shared out among all items offered, 0 (equally) to below 1.

    Source: Gini index of sales diversity, Fleder and Hosanagar, "Blockbuster culture's next rise or fall", Management
    Science 55(5), 2009.
    """
    lists, times = _coded(users, k)
    counts = np.bincount(times, minlength=1)
    counts[0] += users.offered - len(times)
    without_each = np.full(len(lists), np.nan)
    for row, items in enumerate(lists):
        less = counts.copy()
        np.subtract.at(less, times[items], 1)
        np.add.at(less, times[items] - 1, 1)
        without_each[row] = gini_of(less)
    return Aggregate(gini_of(counts), without_each)


def gini_of(counts: Int64Array) -> float:
    """Gini index of items of which counts[t], int64 (most + 1,), were chosen t times; NaN when none was."""
    times = np.arange(len(counts))
    total = int(times @ counts)
    if not total:
        return math.nan
    items = int(counts.sum())
    below = np.cumsum(counts) - counts
    # Σ (2 rank − items − 1) · times over items in ascending order; those chosen equally often go together.
    return float((times * counts * (2 * below + counts - items)).sum() / (items * total))


def _coded(users: UserTable, k: int) -> tuple[Sequence[Int64Array], Int64Array]:
    """The first k items of each user as codes, and how often each code occurs, int64 (codes,), all at least 1."""
    lists = [ids[:k] for ids in users.top_ids]
    _, codes, times = np.unique(
        np.array([item for ids in lists for item in ids], dtype=np.str_), return_inverse=True, return_counts=True
    )
    return np.split(codes.astype(np.int64), np.cumsum([len(ids) for ids in lists])[:-1]), times.astype(np.int64)
