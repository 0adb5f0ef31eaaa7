"""Closed chains of fresh edges."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from r2rec_bench.chains.base import SamplerConfig, chain_samplers
from r2rec_bench.chains.weighted import WeightedSampler
from r2rec_bench.core.config import Tune
from r2rec_bench.core.types import SECONDS_PER_DAY, FloatArray
from r2rec_bench.graph import Closures


class RecentConfig(SamplerConfig):
    """Also how fast an edge grows old."""

    half_life_days: Annotated[float, Field(gt=0), Tune(1, 365, log=True)] = 30.0
    """How much older, on average, the edges of a chain are that weighs half as much as another."""


@chain_samplers.register("recent")
class Recent(WeightedSampler):
    """Closed chains drawn the more often, the younger their edges are when the query is put.

    An edge of another person's that comes after the query, as visibility `fold` allows, is of age zero.

    Source: this project; the closure constraint is R2Rec's (arXiv 2506.05069).
    """

    config: RecentConfig

    def weights(self, closures: Closures) -> FloatArray:
        times = np.stack([closures.own_time, closures.anchor_time, closures.target_time])
        age_days = np.maximum(closures.query.time - times, 0).mean(axis=0) / SECONDS_PER_DAY
        # Only ratios matter: measured from the youngest chain, old ones that differ keep their differences.
        halvings = (age_days - age_days.min(initial=np.inf)) / self.config.half_life_days
        # However old a chain is, it can be drawn where there is none younger.
        return np.maximum(0.5**halvings, np.finfo(np.float64).tiny)
