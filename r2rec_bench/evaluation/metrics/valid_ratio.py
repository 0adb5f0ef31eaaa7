"""How often the model's answer could be read."""

from __future__ import annotations

import numpy as np

from r2rec_bench.core.types import FloatArray
from r2rec_bench.evaluation.metrics.base import Answered, Metric, metrics


@metrics.register("valid_ratio")
class ValidRatio(Metric):
    """Share of a user's candidates for which the model gave a valid answer, 0 to 1; column `valid_ratio`."""

    def per_user(self, answered: Answered) -> dict[str, FloatArray]:
        return {"valid_ratio": answered.ranking.valid.mean(axis=1, dtype=np.float64)}
