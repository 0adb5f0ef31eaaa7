"""Uniform negatives: the protocol of the literature."""

from __future__ import annotations

import numpy as np

from r2rec_bench.core.types import Int32Array, Int64Array
from r2rec_bench.data.base import NegativeSampler, negative_samplers, require_untouched


@negative_samplers.register("uniform")
class Uniform(NegativeSampler):
    """Every set of untouched items is as likely as any other.

    Source: R2Rec (arXiv 2506.05069), as reported: 19 items that the user never touched.
    """

    def draw(
        self, touched: Int32Array, positive: int, popularity: Int64Array, n: int, rng: np.random.Generator
    ) -> Int32Array:
        require_untouched(touched, popularity, n)
        rank = rng.choice(len(popularity) - len(touched), n, replace=False)
        # touched[k] - k untouched items lie below touched[k], so this counts the touched ones below the rank-th.
        below = np.searchsorted(touched - np.arange(len(touched)), rank, side="right")
        return (rank + below).astype(np.int32)
