"""Squared error of the predicted rating, from which RMSE is derived."""

from __future__ import annotations

import numpy as np

from r2rec_bench.core.types import FloatArray
from r2rec_bench.evaluation.metrics.base import Answered, Metric, metrics, rating_errors


@metrics.register("rmse")
class SquaredError(Metric):
    """(predicted − true rating)² of the positive, in stars²; NaN where either is missing; column `se`.

    A root mean square is no mean of per-user values, so the squares are stored: RMSE = √mean(`se`) is taken where it
    is shown (`UserTable.rmse`), and the root of an interval's ends for the mean of `se` is an interval for RMSE.
    """

    higher_is_better = False

    def per_user(self, answered: Answered) -> dict[str, FloatArray]:
        return {"se": np.square(rating_errors(answered.ranking, answered.candidates))}
