"""What a chain sampler is: a weight per closed chain; the drawing, the bundling and the order are common to all.

STYLE would have a weight per peer. It is per chain here, because the paper's sampler is uniform over chains, and a
peer who shares five items with the user closes five of them.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from r2rec_bench.core.config import Config, Tune
from r2rec_bench.core.registry import Component, Registry
from r2rec_bench.core.types import Chain, Edge, Evidence, FloatArray
from r2rec_bench.graph import Closures, VisibleGraph, gap_days


class SamplerConfig(Config):
    """Settings that every sampler has."""

    n: Annotated[int, Field(ge=1, le=64), Tune(1, 16)] = 8
    """Chains, or bundles, per candidate."""
    evidence: Literal["single", "bundle"] = "bundle"
    """One chain each, or all chains through one shared item folded into exact counts."""
    order: Literal["any", "forward"] = "forward"
    """`forward`: the peer came to the target after the shared item."""
    window: Annotated[int, Field(ge=1, le=1000), Tune(2, 50, log=True)] = 10
    """Steps within which a peer counts as having gone on to the target; bundles with order `forward` only."""


class ChainSampler(Component):
    """Draws closed chains, or bundles of them, for one query and one target."""

    config: SamplerConfig

    @abstractmethod
    def weights(self, closures: Closures, visible: VisibleGraph) -> FloatArray:
        """Weight of each valid closed chain, float64 (chains,), non-negative, not all zero."""

    def sample(self, visible: VisibleGraph, target: int, rng: np.random.Generator) -> Evidence:
        """Evidence about `target`: at most `n` chains or bundles, fewer where the graph has fewer.

        Args:
            visible: the query's visible graph.
            target: item index of the candidate, or in training of the item whose edge is masked.
            rng: derived from (seed, user, purpose).
        """
        if self.config.evidence == "bundle":
            anchors = self.anchors(visible, target)
            forward, window = self.config.order == "forward", self.config.window
            bundles = visible.bundles(anchors, target, forward=forward, window=window)
            return Evidence(visible.query, target, bundles=tuple(bundles))
        closures = visible.closures(target, forward=self.config.order == "forward")
        rows = weighted_draw(self.weights(closures, visible), self.config.n, rng)
        return Evidence(visible.query, target, chains=tuple(chain_of(closures, int(row), visible, target) for row in rows))

    def anchors(self, visible: VisibleGraph, target: int) -> list[int]:
        """Own log positions of the items to bundle over, most recent first.

        The latest ones, whether or not a chain closes through them: that nobody went on from a recent item to the
        target is evidence too, and the same anchors for every candidate make their bundles comparable.
        """
        items = visible.history_items()
        positions = [p for p in range(len(items) - 1, -1, -1) if items[p] != target]
        return positions[: self.config.n]


def weighted_draw(weights: FloatArray, n: int, rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Up to `n` distinct rows drawn one after the other with probability proportional to weight.

    Gumbel top-k, which is that draw without its loop; rows of weight zero are never drawn.

    Source: Kool et al., Stochastic Beams and Where to Find Them (ICML 2019).
    """
    possible = np.flatnonzero(weights > 0)
    keys = np.log(weights[possible]) + rng.gumbel(size=len(possible))
    return possible[np.argsort(-keys)[:n]].astype(np.int64)


def chain_of(closures: Closures, row: int, visible: VisibleGraph, target: int) -> Chain:
    """Row `row` of `closures` as a chain."""
    c, user = closures, int(closures.peer[row])
    own = visible.own_edge(int(c.anchor_position[row]))
    here, there = int(c.peer_anchor_position[row]), int(c.peer_target_position[row])
    begun, ended = int(c.anchor_time[row]), int(c.target_time[row])
    edges = (
        own,
        Edge(user, own.item, float(c.anchor_rating[row]), begun, here),
        Edge(user, target, float(c.target_rating[row]), ended, there),
    )
    return Chain(edges, there - here, gap_days(begun, ended))


chain_samplers: Registry[ChainSampler] = Registry("chains", "chain sampler", ChainSampler, "r2rec_bench.chains")
