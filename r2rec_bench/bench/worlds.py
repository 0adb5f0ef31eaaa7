"""Interactions of the size and shape of Amazon Books, generated: power laws, and readers who keep to their genres.

The 5-core of the 2018 release has 27 M interactions of 1.9 M users with 0.7 M items. Here, too, a user has about 15 and
an item 43, whatever the size; a larger shop has more genres, not larger ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from r2rec_bench.core.kernels import kernel
from r2rec_bench.core.types import Int32Array, Int64Array, InteractionLog

FULL = 30_000_000
"""Interactions of the full size."""
_USER_MEAN, _USER_LEAST = 15, 5
_ITEM_MEAN = 43
_GENRE = 300_000
"""Interactions of a genre."""
_AT_HOME = 0.8
"""How often a reader stays in the own genre."""
_POPULARITY = 0.7
"""Exponent of the popularity of items by rank."""
_ACTIVITY = 1.5
"""Exponent of the tail of the activity of users: of variance without end, cut at `_USER_MOST`."""
_USER_MOST = 5_000
_FIRST_TIME, _LAST_TIME = 900_000_000, 1_500_000_000
"""When they happen, s UTC."""


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Distinct (user, item) pairs in order of user, then time: int32, int32 and int64 (n,)."""

    user: Int32Array
    item: Int32Array
    time: Int64Array
    n_users: int
    n_items: int


def edges(n: int, rng: np.random.Generator) -> Edges:
    """About `n` interactions: pairs drawn twice are there once."""
    n_users, n_items = max(n // _USER_MEAN, 2), max(n // _ITEM_MEAN, 2)
    start = np.concatenate([[0], np.cumsum(_activity(n, n_users, rng))])
    return Edges(*_drawn(start, n_items, max(n // _GENRE, 1), rng), n_users, n_items)


@kernel
def _drawn(
    start: Int64Array, n_items: int, genres: int, rng: np.random.Generator
) -> tuple[Int32Array, Int32Array, Int64Array]:
    """The columns of `Edges`; user u draws start[u + 1] - start[u] items."""
    user, item = np.empty(start[-1], np.int32), np.empty(start[-1], np.int32)
    time = np.empty(start[-1], np.int64)
    size = n_items // genres
    n = 0
    for u in range(len(start) - 1):
        drawn = np.empty(start[u + 1] - start[u], np.int32)
        home = int(rng.random() * genres)
        for k in range(len(drawn)):
            # Rank r comes up in proportion to r ** -_POPULARITY, in the genre as in the whole shop.
            share = rng.random() ** (1 / (1 - _POPULARITY))
            drawn[k] = home + genres * int(share * size) if rng.random() < _AT_HOME else int(share * n_items)
        drawn.sort()
        first = n
        for k in range(len(drawn)):
            if k == 0 or drawn[k] != drawn[k - 1]:
                user[n], item[n] = u, drawn[k]
                time[n] = _FIRST_TIME + int(rng.random() * (_LAST_TIME - _FIRST_TIME))
                n += 1
        # Items in the order of their numbers meet times in theirs only once they are shuffled.
        for k in range(n - 1, first, -1):
            other = first + int(rng.random() * (k + 1 - first))
            item[k], item[other] = item[other], item[k]
        time[first:n].sort()
    return user[:n], item[:n], time[:n]


def as_log(made: Edges, rng: np.random.Generator) -> InteractionLog:
    """The same as a log, with ratings drawn from 1 to 5 and numbers for ids."""
    return InteractionLog(
        made.user,
        made.item,
        rng.integers(1, 6, len(made.user)).astype(np.float32),
        made.time,
        tuple(map(str, range(made.n_users))),
        tuple(map(str, range(made.n_items))),
    )


def _activity(n: int, n_users: int, rng: np.random.Generator) -> Int64Array:
    """Interactions of each user, int64 (users,), in all about `n`."""
    drawn = np.minimum(_USER_LEAST * (1 + rng.pareto(_ACTIVITY, n_users)), _USER_MOST)
    return np.maximum(drawn * n / drawn.sum(), 1).round().astype(np.int64)
