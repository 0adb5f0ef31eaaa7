"""Do thoughts foresee what the next step reveals?"""

from __future__ import annotations

import math

from r2rec_bench.core.types import NONE_RATING, FloatArray
from r2rec_bench.evaluation.metrics.base import Answered, Metric, metrics, per_list
from r2rec_bench.prompts.steps import Step, whole_rating


@metrics.register("step_forecast")
class StepForecast(Metric):
    """Share of a user's forecasts that are the true rating of the next masked edge, 0 to 1; column `step_forecast`.

    Column `step_forecast_near` counts those within one star as well; a forecast of no interaction is near no rating.
    Judged are forecasts of edges within the evidence, for all candidates, and forecasts of the closing edge for the
    positive alone: what the user thinks of the others is not known. Bundles have closing edges only. Edges within a
    single chain stand in the prompt and can be copied: of foresight the closing ones alone speak. NaN where no thought
    is left to judge, be it for want of thoughts or of ratings.

    Source: R2Rec (arXiv 2506.05069), progressive masked prompting; the measure is this project's.
    """

    def per_user(self, answered: Answered) -> dict[str, FloatArray]:
        lists = answered.candidates
        rows: list[int] = []
        exact: list[bool] = []
        near: list[bool] = []
        for row, column, asked, thought in answered.thoughts():
            if not 1 <= thought.step <= len(asked.steps):
                continue
            rating = float(lists.rating[row]) if column == lists.positive[row] else math.nan
            true = _revealed_next(asked.steps[thought.step - 1], rating)
            if true == NONE_RATING:
                continue
            rows.append(row)
            exact.append(thought.forecast == true)
            near.append(thought.forecast != NONE_RATING and abs(thought.forecast - true) <= 1)
        n = len(lists)
        return {"step_forecast": per_list(rows, exact, n), "step_forecast_near": per_list(rows, near, n)}


def _revealed_next(step: Step, closing: float) -> int:
    """The rating of the next masked edge, where the closing edge has the rating `closing`; 0 where unknown."""
    return step.outcome(whole_rating(closing))
