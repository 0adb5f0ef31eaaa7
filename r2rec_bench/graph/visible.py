"""The graph of a fold, and the part of it that one query sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.types import (
    Bundle,
    Chain,
    Edge,
    Float32Array,
    Int32Array,
    Int64Array,
    InteractionLog,
    Query,
    Visibility,
)
from r2rec_bench.graph.bundles import Totals, bundles_of
from r2rec_bench.graph.closures import Closures, closures_of
from r2rec_bench.graph.draws import draw_closed
from r2rec_bench.graph.long_chains import draw_long_chains
from r2rec_bench.graph.rows import NO_LIMIT, Rows, View, audience, rows_of
from r2rec_bench.graph.walks import walks_of


@dataclass(frozen=True, slots=True)
class Audience:
    """Other people's visible edges to one item: how many, and their mean rating (NaN when none rated it)."""

    people: int
    mean_rating: float


@dataclass(frozen=True, slots=True)
class Ids:
    """Original ids of users and items, by index."""

    users: tuple[str, ...]
    items: tuple[str, ...]


class InteractionGraph:
    """The graph of one fold.

    Args:
        log: the interactions that queries may see at most: the visible fold.
        visibility: whether other people's edges after the query's time count.
    """

    def __init__(self, log: InteractionLog, visibility: Visibility) -> None:
        self.visibility = visibility
        self._ids = Ids(log.user_ids, log.item_ids)
        self._rows = rows_of(log)
        first_rows = self._rows.user_start[:-1][np.diff(self._rows.user_start) > 0]
        self._n_people = len(first_rows)
        if visibility is Visibility.PAST:
            self._times = np.sort(self._rows.time)
            self._first_times = np.sort(self._rows.time[first_rows])

    def visible(self, query: Query) -> VisibleGraph:
        """What `query` may see.

        Raises:
            InputError: the user is unknown, or the position lies outside the user's log.
        """
        users = len(self._rows.user_start) - 1
        if not 0 <= query.user < users:
            raise InputError(f"unknown user index {query.user}; the graph has {users} users")
        length = len(self.items_of(query.user))
        if not 0 <= query.position <= length:
            raise InputError(f"position {query.position} of user index {query.user}; expected 0 to {length}")
        limit = NO_LIMIT if self.visibility is Visibility.FOLD else query.time
        return VisibleGraph(query, self._ids, self._rows, *self._others(query.user, limit), limit)

    def items_of(self, user: int) -> Int32Array:
        """Every item of `user` in this fold, int32, in log order: for choosing training queries, not for evidence."""
        return self._rows.item[self._rows.user_start[user] : self._rows.user_start[user + 1]]

    def _others(self, user: int, limit: int) -> tuple[int, int]:
        """People other than `user` with an edge before the second `limit`, and their edges before it."""
        own_times = self._rows.time[self._rows.user_start[user] : self._rows.user_start[user + 1]]
        if self.visibility is Visibility.FOLD:
            return self._n_people - (len(own_times) > 0), len(self._rows.item) - len(own_times)
        before = np.uint32(min(max(limit, 0), NO_LIMIT))  # of the kind of the times, or all of them would be converted
        own = int(own_times.searchsorted(before))
        return int(self._first_times.searchsorted(before)) - (own > 0), int(self._times.searchsorted(before)) - own


class VisibleGraph:
    """The part of a graph that one query may see. Samplers get this and nothing else.

    Attributes:
        query: who, when.
        ids: what the source calls users and items; it says nothing of their edges.
        n_items: items that exist, touched or not.
        n_people: other users with a visible edge.
        n_edges: their visible edges.
    """

    def __init__(self, query: Query, ids: Ids, rows: Rows, n_people: int, n_edges: int, limit: int) -> None:
        self.query = query
        self.ids = ids
        self.n_items = len(rows.item_start) - 1
        self.n_people = n_people
        self.n_edges = n_edges
        self._rows = rows
        self._view = View(int(query.user), int(query.position), int(limit))
        start = int(rows.user_start[query.user])
        self._own = slice(start, start + self._view.position)

    def history(self) -> tuple[Edge, ...]:
        """The query user's own visible interactions, oldest first."""
        return tuple(self._rows.edge(row) for row in range(self._own.start, self._own.stop))

    def history_items(self) -> Int32Array:
        """The items of `history`, int32 (position,)."""
        return self._rows.item[self._own]

    def history_ratings(self) -> Float32Array:
        """The ratings of `history`, float32 (position,), NaN where there is none."""
        return self._rows.rating[self._own]

    def audience(self, item: int) -> Audience:
        """Everybody else's visible edges to `item`."""
        people, rated, total = audience(self._rows, self._view, self._known(item))
        return Audience(people, total / rated if rated else float("nan"))

    def closures(self, target: int, *, forward: bool) -> Closures:
        """All valid closed chains to `target`; with `forward` only those whose peer came to the target after i0."""
        return closures_of(self._rows, self._view, self.query, self._known(target), forward=forward)

    def walks(self, target: int, rng: np.random.Generator, *, forward: bool) -> Closures:
        """Every (i0, u1) that a walk can take and one uniformly drawn item that u1 goes on to, in any order or forward.

        The target is not an i0, and is as likely as any other of u1's items to be where the walk ends.
        """
        return walks_of(self._rows, self._view, self.query, self._known(target), rng, forward=forward)

    def draw(self, target: int, n: int, rng: np.random.Generator, *, forward: bool) -> list[Chain]:
        """Up to `n` distinct closed chains to `target`, uniform over all valid ones, without listing them."""
        return draw_closed(self._rows, self._view, self._known(target), n, rng, forward=forward)

    def long_chains(self, target: int, n: int, rng: np.random.Generator, *, forward: bool) -> list[Chain]:
        """Up to `n` distinct closed chains to `target` over two peers, uniform over all valid ones."""
        return draw_long_chains(self._rows, self._view, self._known(target), n, rng, forward=forward)

    def bundles(self, anchors: Sequence[int] | Int64Array, target: int, *, forward: bool, window: int) -> list[Bundle]:
        """One bundle per anchor: the exact digest of all its closed chains to `target`, empty ones included.

        Args:
            anchors: own log positions of the shared items, the target's not among them.
            target: item index of i1.
            forward: count as going on to the target only those who did so within `window` steps after i0.
            window: steps.

        Raises:
            InputError: the query does not see an anchor, or it is the target itself.
        """
        positions = np.asarray(anchors, dtype=np.int64)
        outside = positions[(positions < 0) | (positions >= self.query.position)]
        if len(outside):
            raise InputError(f"own position {outside[0]}; the query sees {self.query.position} own interactions")
        if (self.history_items()[positions] == target).any():
            raise InputError(f"item index {target} is the target, and cannot be its own anchor")
        totals = Totals(self.n_people, self.n_edges, self.audience(target).people)
        return bundles_of(self._rows, self._view, positions, target, totals, forward=forward, window=window)

    def _known(self, item: int) -> int:
        if not 0 <= item < self.n_items:
            raise InputError(f"unknown item index {item}; the graph has {self.n_items} items")
        return int(item)
