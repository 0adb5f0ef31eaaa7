"""The opposite of a piece of evidence: what it would say if people had done the reverse."""

from __future__ import annotations

import math
from dataclasses import replace

from r2rec_bench.core.types import RATINGS, Bundle
from r2rec_bench.graph.bundles import LIFT_SMOOTHING
from r2rec_bench.prompts.steps import Step


def opposite(step: Step) -> Step:
    """`step` with its evidence reversed; the same step where it says nothing that has a reverse.

    An edge of a single chain is rated at the other end of the scale. In a bundle that holds of what peers gave the
    target; those who were more likely than chance to go on to it are as much less likely, and the counts follow. The
    user's own edge to a bundle's anchor stays: it is a fact of their history, which the prompt tells elsewhere too.
    """
    if step.parts:
        return replace(step, parts=tuple(map(opposite, step.parts)))
    if step.bundle is not None:
        return replace(step, bundle=_opposite_bundle(step.bundle))
    return replace(step, edge=replace(step.edge, rating=_mirrored(step.edge.rating)))


def _mirrored(rating: float) -> float:
    return RATINGS[0] + RATINGS[-1] - rating


def _opposite_bundle(b: Bundle) -> Bundle:
    """All counts stay possible: nobody goes on who is no peer, and there are no more peers than people."""
    most = min(b.n_anchor, b.n_target)
    unordered = (b.n_forward, b.forward_lift) == (b.n_peers, b.lift)
    n_forward, forward_lift = _reciprocal(b.n_forward, b.forward_lift, most)
    n_peers, lift = _reciprocal(b.n_peers, b.lift, most, least=n_forward)
    if unordered:
        n_forward, forward_lift = n_peers, lift
    n_agree = round(b.n_agree * n_peers / b.n_peers) if b.n_peers else 0
    return replace(
        b,
        n_peers=n_peers,
        lift=lift,
        n_forward=n_forward,
        forward_lift=forward_lift,
        mean_rating=_mirrored(b.mean_rating) if n_peers else math.nan,
        n_agree=n_agree,
        agree_rating=_mirrored(b.agree_rating) if n_agree else math.nan,
    )


def _reciprocal(seen: int, lift: float, most: int, least: int = 0) -> tuple[int, float]:
    """The whole count between `least` and `most` whose lift is nearest to 1 / `lift`, and that lift.

    A lift is (seen + s) / (expected + s), so the denominator follows from the two.
    """
    denominator = (seen + LIFT_SMOOTHING) / lift
    count = max(least, min(most, round(denominator / lift - LIFT_SMOOTHING)))
    return count, (count + LIFT_SMOOTHING) / denominator
