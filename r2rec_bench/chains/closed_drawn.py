"""The paper's sampler, for graphs of tens of millions of edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from r2rec_bench.chains.base import ChainSampler, SamplerConfig, chain_samplers
from r2rec_bench.core.types import Chain, FloatArray

if TYPE_CHECKING:
    from r2rec_bench.graph import Closures, VisibleGraph


class ClosedDrawnConfig(SamplerConfig):
    """The same without what takes a list of all chains: bundles, and other ways of being distinct."""

    evidence: Literal["single"] = "single"
    """Chains one by one."""
    distinct: Literal["chain"] = "chain"
    """No two are the same."""


@chain_samplers.register("closed_drawn")
class ClosedDrawn(ChainSampler):
    """Every valid closed chain is equally likely, as in `closed_uniform`; they are drawn without listing them all.

    The two have one distribution, and under one seed other chains. What a chain costs here does not grow with the
    graph.

    Source: R2Rec (arXiv 2506.05069), interaction chain sampling; uniformity over chains is this project's reading.
    """

    config: ClosedDrawnConfig

    def weights(self, closures: Closures) -> FloatArray:
        return np.ones(len(closures))

    def chains(self, visible: VisibleGraph, target: int, rng: np.random.Generator) -> list[Chain]:
        return visible.draw(target, self.config.n, rng, forward=self.config.forward)
