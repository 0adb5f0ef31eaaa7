"""All closed chains u0 → i0 → u1 → target of one query and target."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numba import njit

from r2rec_bench.core.types import Chain, Float32Array, Int32Array, Int64Array, Query
from r2rec_bench.graph.rows import Rows, View, audience, own_rows


@dataclass(frozen=True, slots=True, eq=False)
class Closures:
    """All valid closed chains u0 → anchor → peer → target of one query and target, one per index.

    Walks that need not close come in the same columns; what is said of the target holds of the item they end in.

    Attributes:
        query: who asks, when.
        overlap: int32 (n,), how many items the peer shares with u0's visible history, target apart.
        peer_items: int32 (n,), how many items the peer has in the visible graph, target apart.
        own_items: how many items u0 has in the visible graph, target apart.
    """

    _rows: Rows = field(repr=False)
    _view: View = field(repr=False)
    query: Query
    _own_row: Int64Array
    _anchor_row: Int64Array
    _target_row: Int64Array
    overlap: Int32Array
    peer_items: Int32Array
    own_items: int

    def __len__(self) -> int:
        return len(self._own_row)

    @property
    def anchor_position(self) -> Int64Array:
        """Own log position of the shared item i0, int64 (n,)."""
        return self._own_row - self._rows.user_start[self.query.user]

    @property
    def anchor(self) -> Int32Array:
        """Item index of the shared item i0, int32 (n,)."""
        return self._rows.item[self._own_row]

    @property
    def peer(self) -> Int32Array:
        """User index of u1, int32 (n,)."""
        return self._rows.user[self._anchor_row]

    @property
    def anchor_people(self) -> Int64Array:
        """How many others have a visible edge to i0, int64 (n,), the peer among them."""
        people = np.bincount(self.anchor)
        for item in np.flatnonzero(people).tolist():
            people[item], _, _ = audience(self._rows, self._view, item)
        return people[self.anchor]

    @property
    def own_rating(self) -> Float32Array:
        """Rating of i0 by u0, float32 (n,), NaN if none."""
        return self._rows.rating[self._own_row]

    @property
    def anchor_rating(self) -> Float32Array:
        """Rating of i0 by the peer, float32 (n,), NaN if none."""
        return self._rows.rating[self._anchor_row]

    @property
    def target_rating(self) -> Float32Array:
        """Rating of the target by the peer, float32 (n,), NaN if none."""
        return self._rows.rating[self._target_row]

    @property
    def own_time(self) -> Int64Array:
        """When u0 came to i0, int64 (n,), s UTC."""
        return self._rows.time[self._own_row]

    @property
    def anchor_time(self) -> Int64Array:
        """When the peer came to i0, int64 (n,), s UTC."""
        return self._rows.time[self._anchor_row]

    @property
    def target_time(self) -> Int64Array:
        """When the peer came to the target, int64 (n,), s UTC."""
        return self._rows.time[self._target_row]

    def chain(self, index: int) -> Chain:
        """The chain at `index`."""
        return self._rows.chain(np.array([self._own_row[index], self._anchor_row[index], self._target_row[index]]))


def closures_of(rows: Rows, view: View, query: Query, target: int, *, forward: bool) -> Closures:
    """The closed chains to `target`; with `forward` only those whose peer came to the target after i0."""
    own_row = own_rows(rows, view, target)
    columns = _closures(rows, view, own_row, target, forward)
    return Closures(rows, view, query, *columns, own_items=int((own_row >= 0).sum()))


@njit(cache=True, nogil=True)
def _closures(
    rows: Rows, view: View, own_row: Int64Array, target: int, forward: bool
) -> tuple[Int64Array, Int64Array, Int64Array, Int32Array, Int32Array]:
    """The columns of `Closures`: the log of each of the target's people is read once to count and once to fill."""
    first, last = rows.item_start[target], rows.item_start[target + 1]
    chains = np.zeros(last - first, np.int64)
    overlap = np.zeros(last - first, np.int32)
    items = np.zeros(last - first, np.int32)
    for person in range(first, last):
        peer, there = rows.item_user[person], rows.item_row[person]
        if peer == view.user or rows.item_time[person] >= view.limit:
            continue
        k = person - first
        for row in range(rows.user_start[peer], rows.user_start[peer + 1]):
            if rows.time[row] >= view.limit:
                break
            items[k] += row != there
            if own_row[rows.item[row]] >= 0:
                overlap[k] += 1
                chains[k] += not forward or row < there

    n = chains.sum()
    own, anchor, reached = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    n = 0
    for k in range(last - first):
        there = rows.item_row[first + k]
        row = rows.user_start[rows.item_user[first + k]]
        for _ in range(chains[k]):
            while own_row[rows.item[row]] < 0:
                row += 1
            own[n], anchor[n], reached[n] = own_row[rows.item[row]], row, there
            row += 1
            n += 1
    return own, anchor, reached, np.repeat(overlap, chains), np.repeat(items, chains)
