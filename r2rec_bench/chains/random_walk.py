"""Walks without the closure: what does ending in the target add?"""

from __future__ import annotations

from typing import Literal

import numpy as np

from r2rec_bench.chains.base import ChainSampler, SamplerConfig, chain_samplers
from r2rec_bench.core.types import FloatArray
from r2rec_bench.graph import Closures, VisibleGraph


class RandomWalkConfig(SamplerConfig):
    """The same without bundles: a digest tells how many reached the target, which a walk does not care about."""

    evidence: Literal["single"] = "single"
    """Walks one by one."""


@chain_samplers.register("random_walk")
class RandomWalk(ChainSampler):
    """Walks u0 → i0 → u1 → j of the shape of a closed chain, each step uniform, j the target only by chance.

    What prompts say of j is true: it is another item that the peer went on to. Two walks of a candidate differ in i0
    or in u1; the target is no i0, and an i0 or u1 from which no way leads on is not entered.

    Source: ablation of the closure constraint of R2Rec (arXiv 2506.05069).
    """

    config: RandomWalkConfig

    def walks(self, visible: VisibleGraph, target: int, rng: np.random.Generator) -> Closures:
        return visible.walks(target, rng, forward=self.config.forward)

    def weights(self, closures: Closures) -> FloatArray:
        """Each i0 alike, and of its peers each alike."""
        peers = np.bincount(closures.anchor_position)
        return 1 / peers[closures.anchor_position]
