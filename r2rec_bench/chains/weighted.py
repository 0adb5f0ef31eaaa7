"""Samplers whose weights choose the anchors of bundles, too."""

from __future__ import annotations

import numpy as np

from r2rec_bench.chains.base import ChainSampler
from r2rec_bench.core.types import Int64Array
from r2rec_bench.graph import VisibleGraph


class WeightedSampler(ChainSampler):
    """Closed chains by weight, and bundles over the items whose chains weigh most; their digests stay exact."""

    def anchors(self, visible: VisibleGraph, target: int) -> Int64Array:
        """Own log positions of the `n` items whose chains weigh most together, int64 (anchors,), most recent first."""
        closures = visible.closures(target, forward=self.config.forward)
        together = np.bincount(
            closures.anchor_position, weights=self.weights(closures), minlength=visible.query.position
        )
        heaviest = np.argsort(-together, kind="stable")[: self.config.n]
        return np.sort(heaviest[together[heaviest] > 0])[::-1]
