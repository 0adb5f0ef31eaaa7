"""Walks u0 → i0 → u1 → j of one query that end wherever they end: closed chains without the closure."""

from __future__ import annotations

import numpy as np

from r2rec_bench.core.kernels import kernel
from r2rec_bench.core.types import Int32Array, Int64Array, Query
from r2rec_bench.graph.closures import Closures
from r2rec_bench.graph.rows import NO_LIMIT, Rows, View, own_rows


def walks_of(rows: Rows, view: View, query: Query, target: int, rng: np.random.Generator, *, forward: bool) -> Closures:
    """One walk per (i0, u1) from which there is a way on; with `forward` u1 came to j after i0.

    Args:
        rows: the edges.
        view: what the query sees of them.
        query: who asks, when.
        target: item index; u0's own edge to it is masked, and it is j only by chance.
        rng: draws j, uniformly over what u1 may go on to.
        forward: whether the order of behaviour counts.
    """
    own_row = own_rows(rows, view, target)
    own, anchor, begin, ways, overlap, items = _pairs(rows, view, own_row, target, forward)
    reached = begin + rng.integers(ways)
    if not forward:
        reached += reached >= anchor  # i0 itself is stepped over
    return Closures(rows, view, query, own, anchor, reached, overlap, items, own_items=int((own_row >= 0).sum()))


@kernel
def _pairs(
    rows: Rows, view: View, own_row: Int64Array, target: int, forward: bool
) -> tuple[Int64Array, Int64Array, Int64Array, Int64Array, Int32Array, Int32Array]:
    """Per walk: its first two edges, the first row it may go on to, how many it may, and `Closures`' last columns."""
    users = len(rows.user_start) - 1
    knows_target = np.zeros(users, np.int32)
    for there in range(rows.item_start[target], rows.item_start[target + 1]):
        knows_target[rows.item_user[there]] = rows.time[rows.item_row[there]] < view.limit
    size = 0
    for item in range(len(own_row)):
        if own_row[item] >= 0:
            size += rows.item_start[item + 1] - rows.item_start[item]
    own, anchor, peers = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)
    begin, ways = np.empty(size, np.int64), np.empty(size, np.int64)
    overlap, items = np.empty(size, np.int32), np.empty(size, np.int32)
    shared = np.zeros(users, np.int32)
    n = 0
    for item in range(len(own_row)):
        if own_row[item] < 0:
            continue
        for person in range(rows.item_start[item], rows.item_start[item + 1]):
            peer, here = rows.item_user[person], rows.item_row[person]
            if peer == view.user or rows.time[here] >= view.limit:
                continue
            shared[peer] += 1
            first, last = rows.user_start[peer], rows.user_start[peer + 1]
            if view.limit != NO_LIMIT:
                last = first + np.searchsorted(rows.time[first:last], view.limit)
            begin[n], ways[n] = (here + 1, last - here - 1) if forward else (first, last - first - 1)
            own[n], anchor[n], items[n] = own_row[item], here, last - first - knows_target[peer]
            peers[n] = peer
            n += ways[n] > 0
    for k in range(n):
        overlap[k] = shared[peers[k]]
    return own[:n], anchor[:n], begin[:n], ways[:n], overlap[:n], items[:n]
