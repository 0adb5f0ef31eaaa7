"""Evidence as the steps in which it is revealed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from r2rec_bench.core.types import NONE_RATING, Bundle, Chain, Edge, Evidence


class Hop(StrEnum):
    """Which part of the evidence a step reveals."""

    OWN = "own"
    """u0 → i0."""
    SHARED = "shared"
    """A peer's edge to the item through which the chain reached them."""
    ONWARD = "onward"
    """A peer's edge to the next item of the chain, at last to the target."""
    BUNDLE = "bundle"
    """All chains through one shared item, at once."""
    WHOLE = "whole"
    """All the evidence, at once."""


@dataclass(frozen=True, slots=True)
class Step:
    """One piece of evidence.

    Attributes:
        number: 1-based place in the prompt.
        hop: what kind of piece.
        chain: the chain it belongs to, or None.
        edge: the edge revealed; for a bundle the user's own edge to its anchor.
        bundle: the bundle revealed, or None.
        next_rating: the true rating of the next masked edge of the same chain, 0 where it has none; None where the
            next masked edge is the closing one, which nobody may look up here.
        parts: the pieces that a step over all the evidence reveals together; none for a step that is one piece.
    """

    number: int
    hop: Hop
    edge: Edge
    chain: Chain | None = None
    bundle: Bundle | None = None
    next_rating: int | None = None
    parts: tuple[Step, ...] = ()

    def outcome(self, answer: int) -> int:
        """The true value of what a thought about this step forecasts, where the closing edge is `answer`."""
        return answer if self.next_rating is None else self.next_rating


def steps_of(evidence: Evidence) -> tuple[Step, ...]:
    """The steps of `evidence`: one per bundle, or one per edge of each single chain."""
    if evidence.bundles:
        return tuple(Step(k, Hop.BUNDLE, bundle.anchor, bundle=bundle) for k, bundle in enumerate(evidence.bundles, 1))
    steps: list[Step] = []
    for chain in evidence.chains:
        for place, edge in enumerate(chain.edges):
            hop = Hop.OWN if place == 0 else Hop.SHARED if place % 2 else Hop.ONWARD
            following = chain.edges[place + 1] if place + 1 < len(chain.edges) else None
            known = None if following is None else whole_rating(following.rating)
            steps.append(Step(len(steps) + 1, hop, edge, chain=chain, next_rating=known))
    return tuple(steps)


def ends_of(steps: Sequence[Step]) -> list[int]:
    """How many of `steps` may be kept: none, or all up to the end of a bundle or of a whole chain."""
    following = [*(step.chain for step in steps[1:]), None]
    ends = (k for k, step in enumerate(steps, 1) if step.chain is None or step.chain is not following[k - 1])
    return [0, *ends]


def whole_rating(rating: float) -> int:
    """A rating as an outcome 1 to 5, halves up; 0 for a missing one."""
    return NONE_RATING if math.isnan(rating) else int(min(5, max(1, rating + 0.5)))
