"""Closed chains whose peers resemble the query user."""

from __future__ import annotations

from typing import Literal

import numpy as np

from r2rec_bench.chains.base import ChainSampler, SamplerConfig, chain_samplers
from r2rec_bench.core.types import RATINGS, FloatArray, Int64Array
from r2rec_bench.graph import Closures, VisibleGraph


class ClosedWeightedConfig(SamplerConfig):
    """Also what makes a peer alike."""

    by: Literal["overlap", "jaccard", "agreement"] = "jaccard"
    """Shared items; shared over united items; closeness of the two ratings of the shared item."""


@chain_samplers.register("closed_weighted")
class ClosedWeighted(ChainSampler):
    """Closed chains drawn in proportion to how alike the peer and the user are; bundles over the closest anchors.

    Source: this project; the closure constraint is R2Rec's (arXiv 2506.05069).
    """

    config: ClosedWeightedConfig

    def weights(self, closures: Closures) -> FloatArray:
        overlap = closures.overlap.astype(np.float64)
        if self.config.by == "overlap":
            return overlap
        if self.config.by == "jaccard":
            return overlap / (closures.own_items + closures.peer_items - overlap)
        apart = np.abs(closures.own_rating - closures.anchor_rating).astype(np.float64)
        # Two who did not both rate are not known to agree: they weigh as little as those who disagree most.
        return 1.0 / (1.0 + np.where(np.isnan(apart), RATINGS[-1] - RATINGS[0], apart))

    def anchors(self, visible: VisibleGraph, target: int) -> Int64Array:
        """The `n` items whose chains weigh most together, most recent first."""
        closures = visible.closures(target, forward=self.config.forward)
        together = np.bincount(
            closures.anchor_position, weights=self.weights(closures), minlength=visible.query.position
        )
        heaviest = np.argsort(-together, kind="stable")[: self.config.n]
        return np.sort(heaviest[together[heaviest] > 0])[::-1]
