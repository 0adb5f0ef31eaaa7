"""Bundles: all closed chains through one shared item, folded into exact counts."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from r2rec_bench.core.kernels import kernel
from r2rec_bench.core.types import Bundle, Edge, FloatArray, Int64Array
from r2rec_bench.graph.rows import NO_LIMIT, Rows, View

LIFT_SMOOTHING = 0.5
"""Pseudo-counts on both sides of a lift: with nothing seen and nothing expected it is 1."""


class Counts(NamedTuple):
    """What the kernel counts for one anchor, in the order of its columns; the query user is in none of it."""

    n_anchor: float
    """People of the anchor."""
    slots: float
    """Their next interactions, at most `window` each."""
    n_peers: float
    """People of both anchor and target."""
    n_forward: float
    """Peers who came to the target within `window` steps after the anchor."""
    n_rated: float
    """Peers who rated the target."""
    rating_sum: float
    n_agree: float
    """Peers whose rating of the anchor is within 1 of the user's own."""
    n_agree_rated: float
    """Those of them who rated the target."""
    agree_sum: float


class Totals(NamedTuple):
    """What expectations rest on: other people and their edges in the visible graph, and the target's people."""

    people: int
    edges: int
    target: int


def bundles_of(
    rows: Rows, view: View, positions: Int64Array, target: int, totals: Totals, *, forward: bool, window: int
) -> list[Bundle]:
    """One bundle per own log position, int64 (anchors,)."""
    own_rows = rows.user_start[view.user] + positions
    counted = _counts(rows, view, own_rows, target, window).tolist()
    return [
        _bundle(rows.edge(row), view.position, Counts(*columns), totals, forward)
        for row, columns in zip(own_rows.tolist(), counted, strict=True)
    ]


def _bundle(anchor: Edge, now: int, c: Counts, totals: Totals, forward: bool) -> Bundle:
    lift = _lift(c.n_peers, c.n_anchor * totals.target / max(totals.people, 1))
    onward_lift = _lift(c.n_forward, c.slots * totals.target / max(totals.edges, 1))
    return Bundle(
        anchor=anchor,
        steps_ago=now - anchor.position,
        n_anchor=int(c.n_anchor),
        n_target=totals.target,
        n_peers=int(c.n_peers),
        lift=lift,
        n_forward=int(c.n_forward if forward else c.n_peers),
        forward_lift=onward_lift if forward else lift,
        mean_rating=_mean(c.rating_sum, c.n_rated),
        n_agree=int(c.n_agree),
        agree_rating=_mean(c.agree_sum, c.n_agree_rated),
    )


def _lift(seen: float, expected: float) -> float:
    return (seen + LIFT_SMOOTHING) / (expected + LIFT_SMOOTHING)


def _mean(total: float, n: float) -> float:
    return total / n if n else math.nan


@kernel
def _counts(rows: Rows, view: View, own_rows: Int64Array, target: int, window: int) -> FloatArray:
    """`Counts` per anchor, float64 (anchors, 9): the anchor's people and the target's are gone through side by side."""
    out = np.zeros((len(own_rows), 9))
    last = rows.item_start[target + 1]
    limited = view.limit != NO_LIMIT  # without a limit no time is read: a place in memory of its own per person
    for k in range(len(own_rows)):
        anchor, own_rating = rows.item[own_rows[k]], rows.rating[own_rows[k]]
        n_anchor = slots = n_peers = n_forward = n_rated = n_agree = n_agree_rated = 0
        rating_sum = agree_sum = 0.0
        person = rows.item_start[target]
        for other in range(rows.item_start[anchor], rows.item_start[anchor + 1]):
            peer, here = rows.item_user[other], rows.item_row[other]
            if peer == view.user or (limited and rows.time[here] >= view.limit):
                continue
            n_anchor += 1
            following = here + 1
            stop = min(following + window, rows.user_start[peer + 1])
            if limited:
                slots += np.searchsorted(rows.time[following:stop], view.limit)
            else:
                slots += stop - following
            while person < last and rows.item_user[person] < peer:
                person += 1
            if person == last or rows.item_user[person] > peer:
                continue
            there = rows.item_row[person]
            if limited and rows.time[there] >= view.limit:
                continue
            n_peers += 1
            n_forward += 0 < there - here <= window
            rating = rows.rating[there]
            rated, agrees = not np.isnan(rating), abs(rows.rating[here] - own_rating) <= 1
            n_agree += agrees
            if rated:
                n_rated += 1
                rating_sum += rating
            if rated and agrees:
                n_agree_rated += 1
                agree_sum += rating
        # In the order of `Counts`.
        out[k, 0], out[k, 1], out[k, 2], out[k, 3] = n_anchor, slots, n_peers, n_forward
        out[k, 4], out[k, 5], out[k, 6], out[k, 7], out[k, 8] = n_rated, rating_sum, n_agree, n_agree_rated, agree_sum
    return out
