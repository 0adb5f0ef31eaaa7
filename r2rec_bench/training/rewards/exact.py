"""Is the answer right?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from r2rec_bench.core.texts import Reading, Trace
from r2rec_bench.core.types import FloatArray
from r2rec_bench.training.rewards.base import Reward, rewards


@rewards.register("exact")
class Exact(Reward):
    """1 when the answer is the true outcome; else 0.

    Source: the exact-match ablation of RecZero, where it hurt the rating error.
    """

    range = (0.0, 1.0)

    def score(self, readings: Sequence[Reading], traces: Sequence[Trace]) -> FloatArray:
        return np.array(
            [float(reading.answer == trace.answer) for reading, trace in zip(readings, traces, strict=True)]
        )
