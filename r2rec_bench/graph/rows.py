"""The edges in both orders, and what a query may see of them.

A *row* is a place in the order of users, which is the log's. The edges of a user lie there in the order in which the
user acted; those of an item are a list of rows, in the order of users. Each edge takes 20 bytes.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.kernels import kernel
from r2rec_bench.core.types import SECONDS_PER_DAY, Chain, Edge, Float32Array, Int32Array, Int64Array, InteractionLog

UInt32Array: TypeAlias = NDArray[np.uint32]

NO_LIMIT = int(np.iinfo(np.uint32).max)
"""A second after every time that a log can hold."""
MOST_EDGES = int(np.iinfo(np.int32).max)


class Rows(NamedTuple):
    """The edges of a fold. User u owns rows `user_start[u]` to `user_start[u + 1]`; items likewise."""

    user_start: Int64Array
    item: Int32Array
    rating: Float32Array
    time: UInt32Array
    item_start: Int64Array
    item_user: Int32Array
    item_row: Int32Array
    """Where the same edge lies in the order of users."""

    def users(self, rows: Int64Array) -> Int64Array:
        """Whose edges lie at `rows`, int64 (n,)."""
        return self.user_start.searchsorted(rows, side="right") - 1

    def edge(self, row: int) -> Edge:
        """The edge at `row`."""
        user = int(self.user_start.searchsorted(row, side="right")) - 1
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
    """The edges of `log`, whose (user, item) pairs are distinct.

    Raises:
        InputError: there are more edges than rows can be numbered.
    """
    if len(log) > MOST_EDGES:
        raise InputError(f"{len(log):,} interactions; a graph has at most {MOST_EDGES:,}. Take a higher `core`.")
    user_start = log.offsets()
    # Kernels are compiled per kind of array; one that came read-only out of a file would be another kind.
    item = np.require(log.item, np.int32, ["C", "W"])
    item_start = np.concatenate([[0], np.cumsum(np.bincount(item, minlength=log.n_items))]).astype(np.int64)
    return Rows(
        user_start,
        item,
        np.require(log.rating, np.float32, ["C", "W"]),
        log.time.astype(np.uint32),
        item_start,
        *_by_item(user_start, item, item_start),
    )


@kernel
def _by_item(user_start: Int64Array, item: Int32Array, item_start: Int64Array) -> tuple[Int32Array, Int32Array]:
    """`item_user` and `item_row`: every edge goes to the next free place of its item."""
    user, row = np.empty(len(item), np.int32), np.empty(len(item), np.int32)
    free = item_start.copy()
    for u in range(len(user_start) - 1):
        for k in range(user_start[u], user_start[u + 1]):
            place = free[item[k]]
            user[place], row[place] = u, k
            free[item[k]] += 1
    return user, row


def own_rows(rows: Rows, view: View, target: int) -> Int64Array:
    """Row of u0's visible edge to each item, int64 (items,), -1 where there is none; the target's edge is masked."""
    own = np.full(len(rows.item_start) - 1, -1)
    start = rows.user_start[view.user]
    seen = np.arange(start, start + view.position)
    own[rows.item[seen]] = seen
    own[target] = -1
    return own


@kernel
def audience(rows: Rows, view: View, item: int) -> tuple[int, int, float]:
    """Everybody else's visible edges to `item`: (people, how many of them rated, sum of their ratings)."""
    people, rated, total = 0, 0, 0.0
    for person in range(rows.item_start[item], rows.item_start[item + 1]):
        row = rows.item_row[person]
        if rows.item_user[person] != view.user and rows.time[row] < view.limit:
            people += 1
            if not np.isnan(rows.rating[row]):
                rated += 1
                total += float(rows.rating[row])
    return people, rated, total
