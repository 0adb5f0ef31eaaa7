"""Closed chains whose peers resemble the query user."""

from __future__ import annotations

from typing import Literal

import numpy as np

from r2rec_bench.chains.base import ChainSampler, SamplerConfig, chain_samplers
from r2rec_bench.core.types import FloatArray
from r2rec_bench.graph import Closures, VisibleGraph


class ClosedWeightedConfig(SamplerConfig):
    by: Literal["overlap", "jaccard", "agreement"] = "jaccard"
    """Shared items; shared over united items; closeness of the two ratings of the shared item."""


@chain_samplers.register("closed_weighted")
class ClosedWeighted(ChainSampler):
    """Closed chains drawn in proportion to how alike the peer and the user are; bundles over the closest anchors.

    Source: this project; the closure constraint is R2Rec's (arXiv 2506.05069).
    """

    config: ClosedWeightedConfig

    def weights(self, closures: Closures, visible: VisibleGraph) -> FloatArray:
        overlap = closures.overlap.astype(np.float64)
        if self.config.by == "overlap":
            return overlap
        if self.config.by == "jaccard":
            return overlap / (len(visible.history_items()) + closures.peer_items - overlap)
        apart = np.abs(closures.own_rating - closures.anchor_rating).astype(np.float64)
        # Without ratings agreement says nothing, and every chain weighs the same.
        return 1.0 / (1.0 + np.nan_to_num(apart, nan=0.0))

    def anchors(self, visible: VisibleGraph, target: int) -> list[int]:
        """The `n` items whose chains weigh most together, most recent first."""
        closures = visible.closures(target, forward=self.config.order == "forward")
        total = np.bincount(
            closures.anchor_position, weights=self.weights(closures, visible), minlength=visible.query.position
        )
        heaviest = np.argsort(-total, kind="stable")[: self.config.n]
        return sorted((int(p) for p in heaviest if total[p] > 0), reverse=True)
