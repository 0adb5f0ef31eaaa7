"""No evidence: what do chains add at all?"""

from __future__ import annotations

import numpy as np

from r2rec_bench.chains.base import ChainSampler, chain_samplers
from r2rec_bench.core.types import Evidence, FloatArray
from r2rec_bench.graph import Closures, VisibleGraph


@chain_samplers.register("none")
class NoChains(ChainSampler):
    """Never any evidence; the settings of every sampler are accepted, so that one line switches chains off.

    Source: no-chains ablation of R2Rec (arXiv 2506.05069).
    """

    def weights(self, closures: Closures) -> FloatArray:
        return np.zeros(len(closures))

    def sample(self, visible: VisibleGraph, target: int, rng: np.random.Generator) -> Evidence:
        return Evidence(visible.query, target)
