"""How near is the answer?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from r2rec_bench.core.texts import Reading, Trace
from r2rec_bench.core.types import RATINGS, FloatArray
from r2rec_bench.training.rewards.base import Reward, rewards

_WIDEST = RATINGS[-1] - RATINGS[0]


@rewards.register("rating")
class Rating(Reward):
    """1 − |y − ŷ| / 4 between two ratings; 0 when only one of them is "would not interact", or without an answer.

    Source: RecZero's answer reward; the outcome "would not interact" is this project's.
    """

    range = (0.0, 1.0)

    def score(self, readings: Sequence[Reading], traces: Sequence[Trace]) -> FloatArray:
        return np.array(
            [nearness(reading.answer, trace.answer) for reading, trace in zip(readings, traces, strict=True)]
        )


def nearness(said: int | None, true: int) -> float:
    """How near the outcome `said` is to the `true` one, 0 to 1."""
    if said == true:
        return 1.0
    if said not in RATINGS or true not in RATINGS:
        return 0.0
    return 1 - abs(said - true) / _WIDEST
