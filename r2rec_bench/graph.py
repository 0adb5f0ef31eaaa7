"""The time-indexed user–item graph; only a query's visible graph leaves it.

A query `(user, time)` sees the fold's edges, less the query user's own interactions from its moment on, and with
visibility `past` also less everybody's edges at or after `time` (PROTOCOL, Notation). The rule is enforced here, in
the kernels that walk the edges, so that no sampler can break it: not by an edge, and not inside a count.

Edges lie twice in compressed rows: by user in the order in which they acted, and by item sorted by user, so that the
people who touched two items are one merge of two sorted runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.types import (
    SECONDS_PER_DAY,
    BoolArray,
    Bundle,
    Edge,
    Float32Array,
    FloatArray,
    Int32Array,
    Int64Array,
    InteractionLog,
    Query,
    Visibility,
)


class _Rows(NamedTuple):
    """The edges in both orders; `position` counts within a user, in log order."""

    user_start: Int64Array
    user_item: Int32Array
    user_rating: Float32Array
    user_time: Int64Array
    item_start: Int64Array
    item_user: Int32Array
    item_position: Int32Array
    item_rating: Float32Array
    item_time: Int64Array


class _View(NamedTuple):
    """What a query may see: `limit` is the first invisible second for other people's edges."""

    user: int
    position: int
    limit: int


NO_LIMIT = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, eq=False)
class Closures:
    """All valid closed chains u0 → anchor → peer → target of one query and target, a row each.

    Attributes:
        anchor_position: int32 (n,), own log position of the shared item i0.
        peer: int32 (n,), user index of u1.
        peer_anchor_position: int32 (n,), position of i0 in the peer's log.
        peer_target_position: int32 (n,), position of the target in the peer's log.
        anchor_rating: float32 (n,), the peer's rating of i0, NaN if none.
        target_rating: float32 (n,), the peer's rating of the target, NaN if none.
        anchor_time: int64 (n,), when the peer came to i0, s UTC.
        target_time: int64 (n,), when the peer came to the target, s UTC.
        own_rating: float32 (n,), u0's rating of i0.
        overlap: int32 (n,), how many items the peer shares with u0's visible history, target apart.
        peer_items: int32 (n,), how many items the peer has in the visible graph.
    """

    anchor_position: Int32Array
    peer: Int32Array
    peer_anchor_position: Int32Array
    peer_target_position: Int32Array
    anchor_rating: Float32Array
    target_rating: Float32Array
    anchor_time: Int64Array
    target_time: Int64Array
    own_rating: Float32Array
    overlap: Int32Array
    peer_items: Int32Array

    def __len__(self) -> int:
        return len(self.peer)

    def select(self, rows: BoolArray | Int64Array) -> Closures:
        """The chosen rows, by mask or index."""
        return Closures(*(getattr(self, name)[rows] for name in Closures.__slots__))


@dataclass(frozen=True, slots=True)
class Audience:
    """Other people's visible edges to one item: how many, and their mean rating (NaN when none rated it)."""

    people: int
    mean_rating: float


class InteractionGraph:
    """The graph of one fold.

    Args:
        log: the interactions that queries may see at most: the visible fold.
        visibility: whether other people's edges after the query's time count.
    """

    def __init__(self, log: InteractionLog, visibility: Visibility) -> None:
        self.visibility = visibility
        self.n_items = log.n_items
        start = log.offsets()
        position = (np.arange(len(log)) - start[log.user]).astype(np.int32)
        by_item = np.lexsort((log.user, log.item))
        counts = np.bincount(log.item, minlength=log.n_items)
        self._rows = _Rows(
            start,
            np.ascontiguousarray(log.item),
            np.ascontiguousarray(log.rating),
            np.ascontiguousarray(log.time),
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            log.user[by_item],
            position[by_item],
            log.rating[by_item],
            log.time[by_item],
        )
        self._times = np.sort(log.time)
        active = np.flatnonzero(np.diff(start))
        self._first_times = np.sort(log.time[start[active]])
        self._first_time = np.full(log.n_users, NO_LIMIT)
        self._first_time[active] = log.time[start[active]]

    def visible(self, query: Query) -> VisibleGraph:
        """What `query` may see.

        Raises:
            InputError: the user is unknown, or the position lies outside the user's log.
        """
        if not 0 <= query.user < len(self._rows.user_start) - 1:
            raise InputError(f"unknown user index {query.user}; the graph has {len(self._rows.user_start) - 1} users")
        length = self._rows.user_start[query.user + 1] - self._rows.user_start[query.user]
        if not 0 <= query.position <= length:
            raise InputError(f"position {query.position} of user index {query.user}; expected 0 to {length}")
        return VisibleGraph(self, query)

    def items_of(self, user: int) -> Int32Array:
        """Every item of `user` in this fold, int32, in log order: for choosing training queries, not for evidence."""
        return self._rows.user_item[self._rows.user_start[user] : self._rows.user_start[user + 1]]

    def totals(self, query: Query, limit: int) -> tuple[int, int]:
        """(other people, their edges) visible to `query`."""
        start, stop = self._rows.user_start[query.user], self._rows.user_start[query.user + 1]
        own = int(np.searchsorted(self._rows.user_time[start:stop], limit))
        people = int(np.searchsorted(self._first_times, limit)) - int(self._first_time[query.user] < limit)
        return people, int(np.searchsorted(self._times, limit)) - own

    @property
    def rows(self) -> _Rows:
        """The raw edges, for kernels of this module."""
        return self._rows


class VisibleGraph:
    """The part of a graph that one query may see. Samplers get this and nothing else."""

    def __init__(self, graph: InteractionGraph, query: Query) -> None:
        self._graph = graph
        self.query = query
        limit = NO_LIMIT if graph.visibility is Visibility.FOLD else query.time
        self._view = _View(query.user, query.position, limit)
        self.n_people, self.n_edges = graph.totals(query, limit)

    @property
    def n_items(self) -> int:
        return self._graph.n_items

    def history(self) -> tuple[Edge, ...]:
        """The query user's own visible interactions, oldest first."""
        return tuple(self.own_edge(position) for position in range(self.query.position))

    def history_items(self) -> Int32Array:
        """The items of `history`, int32 (position,), oldest first."""
        start = self._graph.rows.user_start[self.query.user]
        return self._graph.rows.user_item[start : start + self.query.position]

    def own_edge(self, position: int) -> Edge:
        """The query user's `position`-th visible interaction."""
        if not 0 <= position < self.query.position:
            raise InputError(f"own position {position}; expected 0 to {self.query.position - 1}")
        rows = self._graph.rows
        row = rows.user_start[self.query.user] + position
        rating, time = float(rows.user_rating[row]), int(rows.user_time[row])
        return Edge(self.query.user, int(rows.user_item[row]), rating, time, position)

    def history_ratings(self) -> Float32Array:
        """The ratings of `history`, float32 (position,), NaN where there is none."""
        start = self._graph.rows.user_start[self.query.user]
        return self._graph.rows.user_rating[start : start + self.query.position]

    def audience(self, item: int) -> Audience:
        """Who else knows `item`."""
        people, rated, total = _audience(self._graph.rows, self._view, item)
        return Audience(int(people), total / rated if rated else float("nan"))

    def closures(self, target: int, *, forward: bool) -> Closures:
        """Every valid closed chain of four hops to `target`.

        Args:
            target: item index of i1.
            forward: only peers who came to the target after the shared item.
        """
        columns = _closures(self._graph.rows, self._view, np.int64(target), forward)
        return Closures(*columns)

    def bundles(self, anchors: Sequence[int] | Int64Array, target: int, *, forward: bool, window: int) -> list[Bundle]:
        """One bundle per anchor: the exact digest of all its closed chains to `target`, empty ones included.

        Args:
            anchors: own log positions of the shared items.
            target: item index of i1.
            forward: count as going on to the target only those who did so within `window` steps after i0.
            window: steps.
        """
        positions = np.asarray(anchors, dtype=np.int64)
        counts = _bundles(self._graph.rows, self._view, positions, np.int64(target), np.int64(window))
        return [self._bundle(int(p), row, forward=forward) for p, row in zip(positions, counts, strict=True)]

    def _bundle(self, position: int, counts: FloatArray, *, forward: bool) -> Bundle:
        n_anchor, n_target, n_peers, slots, n_forward, ratings, n_rated, agree_sum, n_agree, agree_rated = counts
        lift = _lift(n_peers, n_anchor * n_target / max(self.n_people, 1))
        forward_lift = _lift(n_forward, slots * n_target / max(self.n_edges, 1))
        return Bundle(
            anchor=self.own_edge(position),
            steps_ago=self.query.position - position,
            n_anchor=int(n_anchor),
            n_target=int(n_target),
            n_peers=int(n_peers),
            lift=lift,
            n_forward=int(n_forward) if forward else int(n_peers),
            forward_lift=forward_lift if forward else lift,
            mean_rating=ratings / n_rated if n_rated else float("nan"),
            n_agree=int(n_agree),
            agree_rating=agree_sum / agree_rated if agree_rated else float("nan"),
        )


LIFT_SMOOTHING = 0.5
"""Pseudo-counts on both sides of a lift: with nothing seen and nothing expected it is 1."""


def _lift(seen: float, expected: float) -> float:
    return (seen + LIFT_SMOOTHING) / (expected + LIFT_SMOOTHING)


def gap_days(earlier: int, later: int) -> float:
    """Days from `earlier` to `later`, both s UTC."""
    return (later - earlier) / SECONDS_PER_DAY


# ---- kernels ----------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def _audience(rows: _Rows, view: _View, item: int) -> tuple[int, int, float]:
    """(people, how many of them rated, sum of their ratings)."""
    people, rated, total = 0, 0, 0.0
    for row in range(rows.item_start[item], rows.item_start[item + 1]):
        if rows.item_user[row] != view.user and rows.item_time[row] < view.limit:
            people += 1
            if not np.isnan(rows.item_rating[row]):
                rated += 1
                total += rows.item_rating[row]
    return people, rated, total


@njit(cache=True, nogil=True)
def _visible_length(rows: _Rows, view: _View, user: int) -> int:
    """How many of another user's interactions are visible; they are the first ones, times do not decrease."""
    start, stop = rows.user_start[user], rows.user_start[user + 1]
    if view.limit == NO_LIMIT:
        return stop - start
    return np.searchsorted(rows.user_time[start:stop], view.limit)


@njit(cache=True, nogil=True)
def _bundles(rows: _Rows, view: _View, anchors: Int64Array, target: int, window: int) -> FloatArray:
    """Counts per anchor, float64 (anchors, 10); the columns are those that `_bundle` unpacks."""
    out = np.zeros((len(anchors), 10))
    own_start = rows.user_start[view.user]
    n_target, _, _ = _audience(rows, view, target)
    for k in range(len(anchors)):
        anchor = rows.user_item[own_start + anchors[k]]
        own_rating = rows.user_rating[own_start + anchors[k]]
        there = rows.item_start[target]
        there_stop = rows.item_start[target + 1]
        out[k, 1] = n_target
        for here in range(rows.item_start[anchor], rows.item_start[anchor + 1]):
            peer = rows.item_user[here]
            if peer == view.user or rows.item_time[here] >= view.limit:
                continue
            out[k, 0] += 1
            left = _visible_length(rows, view, peer) - 1 - rows.item_position[here]
            out[k, 3] += min(window, left)
            while there < there_stop and rows.item_user[there] < peer:
                there += 1
            if anchor == target or there == there_stop or rows.item_user[there] != peer:
                continue
            if rows.item_time[there] >= view.limit:
                continue
            out[k, 2] += 1
            step = rows.item_position[there] - rows.item_position[here]
            if 0 < step <= window:
                out[k, 4] += 1
            rating = rows.item_rating[there]
            rated = not np.isnan(rating)
            if rated:
                out[k, 5] += rating
                out[k, 6] += 1
            if abs(rows.item_rating[here] - own_rating) <= 1:
                out[k, 8] += 1
                if rated:
                    out[k, 7] += rating
                    out[k, 9] += 1
    return out


@njit(cache=True, nogil=True)
def _closures(
    rows: _Rows, view: _View, target: int, forward: bool
) -> tuple[
    NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], NDArray[np.int32],
    NDArray[np.float32], NDArray[np.float32], NDArray[np.int64], NDArray[np.int64],
    NDArray[np.float32], NDArray[np.int32], NDArray[np.int32],
]:  # fmt: skip
    """The columns of `Closures`. First the overlap of each of the target's people with u0, then the rows."""
    own_start = rows.user_start[view.user]
    first, last = rows.item_start[target], rows.item_start[target + 1]
    overlap = np.zeros(last - first, np.int32)
    total = 0
    for fill in range(2):
        if fill == 1:
            anchor_position = np.empty(total, np.int32)
            source = np.empty(total, np.int64)
            there_row = np.empty(total, np.int64)
        n = 0
        for position in range(view.position):
            anchor = rows.user_item[own_start + position]
            if anchor == target:
                continue
            there = first
            for here in range(rows.item_start[anchor], rows.item_start[anchor + 1]):
                peer = rows.item_user[here]
                if peer == view.user or rows.item_time[here] >= view.limit:
                    continue
                while there < last and rows.item_user[there] < peer:
                    there += 1
                if there == last:
                    break
                if rows.item_user[there] != peer or rows.item_time[there] >= view.limit:
                    continue
                if fill == 0:
                    overlap[there - first] += 1
                if forward and rows.item_position[there] <= rows.item_position[here]:
                    continue
                if fill == 1:
                    anchor_position[n] = position
                    source[n] = here
                    there_row[n] = there
                n += 1
        total = n
    peers = rows.item_user[there_row]
    peer_items = np.empty(total, np.int32)
    own_rating = np.empty(total, np.float32)
    for row in range(total):
        peer_items[row] = _visible_length(rows, view, peers[row])
        own_rating[row] = rows.user_rating[own_start + anchor_position[row]]
    return (
        anchor_position,
        peers,
        rows.item_position[source],
        rows.item_position[there_row],
        rows.item_rating[source],
        rows.item_rating[there_row],
        rows.item_time[source],
        rows.item_time[there_row],
        own_rating,
        overlap[there_row - first],
        peer_items,
    )
