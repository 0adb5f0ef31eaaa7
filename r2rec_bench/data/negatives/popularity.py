"""Popularity-weighted negatives: harder than uniform ones, and fair to no popularity baseline."""

from __future__ import annotations

import numpy as np

from r2rec_bench.core.types import Int32Array, Int64Array
from r2rec_bench.data.base import NegativeSampler, negative_samplers, require_untouched


@negative_samplers.register("popularity")
class Popularity(NegativeSampler):
    """Untouched items drawn one after the other in proportion to their interactions plus one, without replacement.

    The one lets items be drawn that nobody has touched yet.

    Source: Gumbel top-k is sequential sampling without replacement (Kool et al., ICML 2019, arXiv 1903.06059).
    """

    def draw(
        self, touched: Int32Array, positive: int, popularity: Int64Array, n: int, rng: np.random.Generator
    ) -> Int32Array:
        require_untouched(touched, popularity, n)
        keys = np.log(popularity + 1.0) + rng.gumbel(size=len(popularity))
        keys[touched] = -np.inf
        return np.argsort(-keys)[:n].astype(np.int32)
