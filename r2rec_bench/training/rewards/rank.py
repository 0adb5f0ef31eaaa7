"""Does the answer put its item in the right place among others?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from r2rec_bench.core.texts import Reading, Trace
from r2rec_bench.core.types import FloatArray, Query
from r2rec_bench.training.rewards.base import Reward, rewards


@rewards.register("rank")
class Rank(Reward):
    """Discounted gain of the place that the answer gives its item among the others.

    The list is the questions of the batch: training questions are drawn one by one, so a batch hardly ever holds two of
    one user, and its questions stand in for a candidate list. Gain is the true outcome, 0 to 5; ties lose. The gain
    is scaled between the allowed answer that places the item worst (0) and best (1); no answer earns 0. All others
    stand at their true outcomes, so that no answer is paid or punished for another's mistakes, and the true one is
    always best.

    On its own it cannot tell answers apart that lead to the same order, a question alone in its batch being the
    extreme: every answer then earns 1.

    Source: this project; discounted gain as in NDCG (Järvelin and Kekäläinen, 2002).
    """

    range = (0.0, 1.0)

    def score(self, readings: Sequence[Reading], traces: Sequence[Trace]) -> FloatArray:
        true = {(trace.query, trace.target): trace.answer for trace in traces}
        return np.array([_placed(reading, trace, true) for reading, trace in zip(readings, traces, strict=True)])


def _placed(reading: Reading, trace: Trace, true: dict[tuple[Query, int], int]) -> float:
    allowed = trace.prompt.outcomes
    if reading.answer not in allowed:
        return 0.0
    asked = (trace.query, trace.target)
    others = np.array([outcome for question, outcome in true.items() if question != asked], dtype=np.float64)
    gains = {answer: _gain(answer, trace.answer, others) for answer in allowed}
    worst, best = min(gains.values()), _gain(trace.answer, trace.answer, others)
    return 1.0 if best == worst else (gains[reading.answer] - worst) / (best - worst)


def _gain(said: int, true: int, others: FloatArray) -> float:
    """Discounted gain of a list with one item placed as `said` and the `others` as they are."""
    score, gain = np.append(others, said), np.append(others, true)
    order = np.lexsort((gain, -score))
    return float((gain[order] / np.log2(np.arange(2, len(order) + 2))).sum())
