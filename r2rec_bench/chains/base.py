"""What a chain sampler is: a weight per closed chain; the drawing, the bundling and the order are common to all.

A weight is a chain's and not a peer's, because the paper's sampler is uniform over chains, and a peer who shares five
items with the user closes five of them.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from r2rec_bench.core.config import Config, Tune
from r2rec_bench.core.registry import Component, Registry
from r2rec_bench.core.types import Chain, Evidence, FloatArray, Int32Array, Int64Array
from r2rec_bench.graph import Closures, VisibleGraph


class SamplerConfig(Config):
    """Settings that every sampler has."""

    n: Annotated[int, Field(ge=1, le=64), Tune(1, 16)] = 8
    """Chains, or bundles, per candidate."""
    evidence: Literal["single", "bundle"] = "bundle"
    """One chain each, or all chains through one shared item folded into exact counts."""
    order: Literal["any", "forward"] = "forward"
    """`forward`: the peer came to the target after the shared item."""
    distinct: Literal["chain", "peer", "anchor"] = "chain"
    """What no two single chains of a candidate share; bundles are distinct by their anchors."""
    window: Annotated[int, Field(ge=1, le=1000), Tune(2, 50, log=True)] = 10
    """Steps within which a peer counts as having gone on to the target; bundles with order `forward` only."""

    @property
    def forward(self) -> bool:
        """Whether the order of behaviour counts."""
        return self.order == "forward"


class ChainSampler(Component):
    """Draws closed chains, or bundles of them, for one query and one target."""

    config: SamplerConfig

    @abstractmethod
    def weights(self, closures: Closures) -> FloatArray:
        """Weight of each valid closed chain, float64 (chains,), non-negative."""

    def sample(self, visible: VisibleGraph, target: int, rng: np.random.Generator) -> Evidence:
        """Evidence about `target`: at most `n` chains or bundles, fewer where the graph has fewer.

        Args:
            visible: the query's visible graph.
            target: item index of the candidate, or in training of the item whose edge is masked.
            rng: derived from (seed, user, purpose).
        """
        if self.config.evidence == "single":
            return Evidence(visible.query, target, chains=tuple(self.chains(visible, target, rng)))
        bundles = visible.bundles(
            self.anchors(visible, target), target, forward=self.config.forward, window=self.config.window
        )
        return Evidence(visible.query, target, bundles=tuple(bundles))

    def chains(self, visible: VisibleGraph, target: int, rng: np.random.Generator) -> list[Chain]:
        """Distinct chains, drawn one after the other in proportion to their weights."""
        closures = self.walks(visible, target, rng)
        weights = self.weights(closures)
        if self.config.distinct == "chain":
            drawn = weighted_draw(weights, self.config.n, rng)
        else:
            kinds = closures.peer if self.config.distinct == "peer" else closures.anchor
            drawn = draw_of_each(weights, kinds, self.config.n, rng)
        return [closures.chain(index) for index in drawn.tolist()]

    def walks(self, visible: VisibleGraph, target: int, rng: np.random.Generator) -> Closures:
        """What chains are drawn from: all closed ones."""
        return visible.closures(target, forward=self.config.forward)

    def anchors(self, visible: VisibleGraph, target: int) -> Int64Array:
        """Own log positions of the items to bundle over, int64 (anchors,), most recent first.

        The latest ones, whether or not a chain closes through them: that nobody went on from a recent item to the
        target is evidence too, and the same anchors for every candidate make their bundles comparable.
        """
        positions = np.flatnonzero(visible.history_items() != target)
        return positions[::-1][: self.config.n]


def weighted_draw(weights: FloatArray, n: int, rng: np.random.Generator) -> Int64Array:
    """Indices of up to `n` distinct things, drawn one after the other with probability proportional to weight.

    A weight of zero is never drawn.
    """
    possible = np.count_nonzero(weights)
    if not possible:
        return np.empty(0, np.int64)
    return rng.choice(len(weights), min(n, possible), replace=False, p=weights / weights.sum())


def draw_of_each(weights: FloatArray, kinds: Int32Array, n: int, rng: np.random.Generator) -> Int64Array:
    """Like `weighted_draw`, but no two of one kind, int32 (things,): each is drawn from what is left after the others.

    `weights` is not changed.
    """
    left, drawn = weights.copy(), np.empty(0, np.int64)
    while len(drawn) < n and left.any():
        drawn = np.append(drawn, weighted_draw(left, 1, rng))
        left[kinds == kinds[drawn[-1]]] = 0
    return drawn


chain_samplers: Registry[ChainSampler] = Registry("chains", "chain sampler", ChainSampler, "r2rec_bench.chains")
