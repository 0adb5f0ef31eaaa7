"""The edges in both orders, and what a query may see of them.

Edges lie twice in compressed rows: by user in the order in which they acted, and by item in the order of users. A *row*
is a place in the order of users, which is the log's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from r2rec_bench.core.types import SECONDS_PER_DAY, Chain, Edge, Float32Array, Int32Array, Int64Array, InteractionLog

NO_LIMIT = int(np.iinfo(np.int64).max)


class Rows(NamedTuple):
    """The edges of a fold. User u owns rows `user_start[u]` to `user_start[u + 1]`; items likewise."""

    user_start: Int64Array
    user: Int32Array
    item: Int32Array
    rating: Float32Array
    time: Int64Array
    item_start: Int64Array
    item_user: Int32Array
    item_row: Int64Array
    """Where the same edge lies in the order of users."""
    item_rating: Float32Array
    item_time: Int64Array

    def edge(self, row: int) -> Edge:
        """The edge at `row`."""
        user = int(self.user[row])
        position = row - int(self.user_start[user])
        return Edge(user, int(self.item[row]), float(self.rating[row]), int(self.time[row]), position)

    def chain(self, walk: Int64Array) -> Chain:
        """The chain over the rows `walk`, in walking order."""
        edges = tuple(self.edge(int(row)) for row in walk)
        shared, last = edges[-2:]
        return Chain(edges, last.position - shared.position, (last.time - shared.time) / SECONDS_PER_DAY)


class View(NamedTuple):
    """What a query may see: its own first `position` edges, and other people's before the second `limit`."""

    user: int
    position: int
    limit: int


def rows_of(log: InteractionLog) -> Rows:
    """The edges of `log`, whose (user, item) pairs are distinct."""
    by_item = np.argsort(log.item, kind="stable")
    counts = np.bincount(log.item, minlength=log.n_items)
    # Kernels are compiled per kind of array; one that came read-only out of a file would be another kind.
    return Rows(
        log.offsets(),
        np.require(log.user, np.int32, ["C", "W"]),
        np.require(log.item, np.int32, ["C", "W"]),
        np.require(log.rating, np.float32, ["C", "W"]),
        np.require(log.time, np.int64, ["C", "W"]),
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        log.user[by_item],
        by_item,
        log.rating[by_item],
        log.time[by_item],
    )


def own_rows(rows: Rows, view: View, target: int) -> Int64Array:
    """Row of u0's visible edge to each item, int64 (items,), -1 where there is none; the target's edge is masked."""
    own = np.full(len(rows.item_start) - 1, -1)
    start = rows.user_start[view.user]
    seen = np.arange(start, start + view.position)
    own[rows.item[seen]] = seen
    own[target] = -1
    return own


@njit(cache=True, nogil=True)
def audience(rows: Rows, view: View, item: int) -> tuple[int, int, float]:
    """Everybody else's visible edges to `item`: (people, how many of them rated, sum of their ratings)."""
    people, rated, total = 0, 0, 0.0
    for row in range(rows.item_start[item], rows.item_start[item + 1]):
        if rows.item_user[row] != view.user and rows.item_time[row] < view.limit:
            people += 1
            if not np.isnan(rows.item_rating[row]):
                rated += 1
                total += rows.item_rating[row]
    return people, rated, total
