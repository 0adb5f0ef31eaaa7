"""Hit ratio: is the positive among the first k?"""

from __future__ import annotations

import numpy as np

from r2rec_bench.core.config import Config
from r2rec_bench.core.types import FloatArray
from r2rec_bench.evaluation.metrics.base import Answered, Cutoffs, Metric, metrics


class HitRatioConfig(Config):
    """The cutoffs k."""

    at: Cutoffs = (1, 3, 5, 10)
    """How many of the best candidates count; each gives a column."""


@metrics.register("hr")
class HitRatio(Metric):
    """1 where the positive ranks among the first k candidates, else 0; columns `hr@k`."""

    config: HitRatioConfig

    def per_user(self, answered: Answered) -> dict[str, FloatArray]:
        rank = answered.rank
        return {f"hr@{k}": (rank <= k).astype(np.float64) for k in self.config.at}
