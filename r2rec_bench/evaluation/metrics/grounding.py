"""Do thoughts keep to what has been revealed?"""

from __future__ import annotations

import numpy as np

from r2rec_bench.core.types import FloatArray
from r2rec_bench.evaluation.metrics.base import Answered, Metric, metrics, per_list
from r2rec_bench.traces.filters import grounded


@metrics.register("grounding")
class Grounding(Metric):
    """Share of a user's thoughts, about all candidates, that name only what is revealed by their step; 0 to 1.

    Checked are the titles and numbers that a thought names; a thought about a step that is not there is not grounded.
    NaN without thoughts that could be read, and in the compact wording, whose thoughts name nothing that could be
    wrong. Column `grounding`.

    Source: this project; the measurement beside the reward of that name.
    """

    def per_user(self, answered: Answered) -> dict[str, FloatArray]:
        n = len(answered.candidates)
        if answered.reasoning is None or not answered.reasoning.reader.wording.quotes:
            return {"grounding": np.full(n, np.nan)}
        found = [
            (row, grounded(thought.text, asked.prompt, thought.step)) for row, _, asked, thought in answered.thoughts()
        ]
        return {"grounding": per_list([row for row, _ in found], [sound for _, sound in found], n)}
