"""The paper's sampler."""

from __future__ import annotations

import numpy as np

from r2rec_bench.chains.base import ChainSampler, chain_samplers
from r2rec_bench.core.types import FloatArray
from r2rec_bench.graph import Closures, VisibleGraph


@chain_samplers.register("closed_uniform")
class ClosedUniform(ChainSampler):
    """Every valid closed chain is equally likely, whoever its peer.

    Source: R2Rec (arXiv 2506.05069), interaction chain sampling; uniformity over chains is this project's reading.
    """

    def weights(self, closures: Closures, visible: VisibleGraph) -> FloatArray:
        return np.ones(len(closures))
