"""The paper's sampler."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import model_validator

from r2rec_bench.chains.base import ChainSampler, SamplerConfig, chain_samplers
from r2rec_bench.core.types import Chain, FloatArray
from r2rec_bench.graph import Closures, VisibleGraph


class ClosedUniformConfig(SamplerConfig):
    """Also the length of a chain, which a weighted sampler cannot vary: it would have to list all the long ones."""

    hops: Literal[4, 6] = 4
    """4: u0 → i0 → u1 → target → u0. 6: one more peer, u0 → i0 → u1 → m → u2 → target → u0."""

    @model_validator(mode="after")
    def _short_chains_do_more(self) -> ClosedUniformConfig:
        if self.hops == 6 and self.evidence == "bundle":
            raise ValueError("a bundle folds chains of 4 hops, got hops: 6; set evidence: single, or hops: 4")
        if self.hops == 6 and self.distinct != "chain":
            raise ValueError(f"6 hops have distinct: chain alone, got {self.distinct}; set distinct: chain, or hops: 4")
        return self


@chain_samplers.register("closed_uniform")
class ClosedUniform(ChainSampler):
    """Every valid closed chain is equally likely, whoever its peers.

    Source: R2Rec (arXiv 2506.05069), interaction chain sampling; uniformity over chains is this project's reading.
    """

    config: ClosedUniformConfig

    def weights(self, closures: Closures) -> FloatArray:
        return np.ones(len(closures))

    def chains(self, visible: VisibleGraph, target: int, rng: np.random.Generator) -> list[Chain]:
        if self.config.hops == 6:
            return visible.long_chains(target, self.config.n, rng, forward=self.config.forward)
        return super().chains(visible, target, rng)
