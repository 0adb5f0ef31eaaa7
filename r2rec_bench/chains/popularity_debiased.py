"""Closed chains that do not follow the crowd."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from r2rec_bench.chains.base import SamplerConfig, chain_samplers
from r2rec_bench.chains.weighted import WeightedSampler
from r2rec_bench.core.config import Tune
from r2rec_bench.core.types import FloatArray
from r2rec_bench.graph import Closures


class PopularityDebiasedConfig(SamplerConfig):
    """Also how much popularity counts against a chain."""

    power: Annotated[float, Field(ge=0, le=4), Tune(0, 2)] = 1.0
    """0: not at all, as in `closed_uniform`; 1: in inverse proportion."""


@chain_samplers.register("popularity_debiased")
class PopularityDebiased(WeightedSampler):
    """Closed chains drawn in inverse proportion to a power of how popular the shared item, and active the peer, is.

    Popularity is the number of visible edges: other people's to the item, and the peer's to items but the target.

    Source: this project; the closure constraint is R2Rec's (arXiv 2506.05069).
    """

    config: PopularityDebiasedConfig

    def weights(self, closures: Closures) -> FloatArray:
        return 1 / (closures.anchor_people * closures.peer_items) ** self.config.power
