"""All closed chains u0 → i0 → u1 → target of one query and target."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from r2rec_bench.core.kernels import kernel
from r2rec_bench.core.types import Chain, Float32Array, Int32Array, Int64Array, Query
from r2rec_bench.graph.rows import Rows, View, audience


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
        return self._rows.users(self._anchor_row).astype(np.int32)

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
        return self._rows.time[self._own_row].astype(np.int64)

    @property
    def anchor_time(self) -> Int64Array:
        """When the peer came to i0, int64 (n,), s UTC."""
        return self._rows.time[self._anchor_row].astype(np.int64)

    @property
    def target_time(self) -> Int64Array:
        """When the peer came to the target, int64 (n,), s UTC."""
        return self._rows.time[self._target_row].astype(np.int64)

    def chain(self, index: int) -> Chain:
        """The chain at `index`."""
        return self._rows.chain(np.array([self._own_row[index], self._anchor_row[index], self._target_row[index]]))


def closures_of(rows: Rows, view: View, query: Query, target: int, *, forward: bool) -> Closures:
    """The closed chains to `target`; with `forward` only those whose peer came to the target after i0."""
    start = rows.user_start[view.user]
    history = rows.item[start : start + view.position]
    columns = _closures(rows, view, target, forward)
    return Closures(rows, view, query, *columns, own_items=int((history != target).sum()))


@kernel
def _closures(
    rows: Rows, view: View, target: int, forward: bool
) -> tuple[Int64Array, Int64Array, Int64Array, Int32Array, Int32Array]:
    """The columns of `Closures`: the log of each of the target's people is read once to count and once to fill."""
    items, own_rows = _own(rows, view, target)
    first, last = rows.item_start[target], rows.item_start[target + 1]
    chains = np.zeros(last - first, np.int64)
    overlap = np.zeros(last - first, np.int32)
    peer_items = np.zeros(last - first, np.int32)
    for person in range(first, last):
        peer, there = rows.item_user[person], rows.item_row[person]
        if peer == view.user or rows.time[there] >= view.limit:
            continue
        k = person - first
        for row in range(rows.user_start[peer], rows.user_start[peer + 1]):
            if rows.time[row] >= view.limit:
                break
            peer_items[k] += row != there
            if _own_row(items, own_rows, int(rows.item[row])) >= 0:
                overlap[k] += 1
                chains[k] += not forward or row < there

    n = chains.sum()
    own, anchor, reached = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    n = 0
    for k in range(last - first):
        row = rows.user_start[rows.item_user[first + k]]
        for _ in range(chains[k]):
            while _own_row(items, own_rows, int(rows.item[row])) < 0:
                row += 1
            own[n], anchor[n] = _own_row(items, own_rows, int(rows.item[row])), row
            reached[n] = rows.item_row[first + k]
            row += 1
            n += 1
    return own, anchor, reached, np.repeat(overlap, chains), np.repeat(peer_items, chains)


@kernel
def _own(rows: Rows, view: View, target: int) -> tuple[Int32Array, Int64Array]:
    """u0's visible edges, the target's apart, hashed by item: (items int32, their rows int64), -1 where a slot is free.

    A table of the history, not of the catalogue: what it costs does not grow with the graph.
    """
    slots = 8
    while slots < 4 * view.position:
        slots *= 2
    items, own_rows = np.full(slots, -1, np.int32), np.full(slots, -1, np.int64)
    start = rows.user_start[view.user]
    for row in range(start, start + view.position):
        if rows.item[row] != target:
            slot = _slot(items, int(rows.item[row]))
            items[slot], own_rows[slot] = rows.item[row], row
    return items, own_rows


@kernel
def _own_row(items: Int32Array, own_rows: Int64Array, item: int) -> int:
    """Row of u0's edge to `item`, -1 where there is none."""
    return own_rows[_slot(items, item)]


@kernel
def _slot(items: Int32Array, item: int) -> int:
    """Where `item` is, or would go: the first such slot from the one that its product with 2**32 / φ points to."""
    slot = (item * 2_654_435_769 >> 16) & (len(items) - 1)
    while items[slot] != item and items[slot] >= 0:
        slot = (slot + 1) & (len(items) - 1)
    return slot
