"""Absolute error of the predicted rating."""

from __future__ import annotations

import numpy as np

from r2rec_bench.core.types import FloatArray
from r2rec_bench.evaluation.metrics.base import Answered, Metric, metrics, rating_errors


@metrics.register("mae")
class AbsoluteError(Metric):
    """|predicted − true rating| of the positive, in stars; NaN where either is missing; column `mae`."""

    higher_is_better = False

    def per_user(self, answered: Answered) -> dict[str, FloatArray]:
        return {"mae": np.abs(rating_errors(answered.ranking, answered.candidates))}
