"""Closed chains whose peers resemble the query user."""

from __future__ import annotations

from typing import Literal

import numpy as np

from r2rec_bench.chains.base import SamplerConfig, chain_samplers
from r2rec_bench.chains.weighted import WeightedSampler
from r2rec_bench.core.types import RATINGS, FloatArray
from r2rec_bench.graph import Closures


class ClosedWeightedConfig(SamplerConfig):
    """Also what makes a peer alike."""

    by: Literal["overlap", "jaccard", "agreement"] = "jaccard"
    """Shared items; shared over united items; closeness of the two ratings of the shared item."""


@chain_samplers.register("closed_weighted")
class ClosedWeighted(WeightedSampler):
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
