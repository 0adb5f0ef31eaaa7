"""Does the answer put its item in the right place among others?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache

import numpy as np

from r2rec_bench.core.texts import Reading, Trace
from r2rec_bench.core.types import FloatArray
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
        times = Counter(true.values())

        @cache
        def gain(said: int, answer: int, own: int) -> float:
            # What the others are worth is all that counts of them: there are few different questions, however many.
            return _gain(said, answer, np.array(list((times - Counter([own])).elements()), dtype=np.float64))

        @cache
        def placed(said: int | None, allowed: tuple[int, ...], answer: int, own: int) -> float:
            if said is None or said not in allowed:
                return 0.0
            worst, best = min(gain(one, answer, own) for one in allowed), gain(answer, answer, own)
            return 1.0 if best == worst else (gain(said, answer, own) - worst) / (best - worst)

        return np.array(
            [
                placed(reading.answer, trace.prompt.outcomes, trace.answer, true[trace.query, trace.target])
                for reading, trace in zip(readings, traces, strict=True)
            ]
        )


def _gain(said: int, true: int, others: FloatArray) -> float:
    """Discounted gain of a list with one item placed as `said` and the `others` as they are."""
    score, gain = np.append(others, said), np.append(others, true)
    order = np.lexsort((gain, -score))
    return float((gain[order] / np.log2(np.arange(2, len(order) + 2))).sum())
