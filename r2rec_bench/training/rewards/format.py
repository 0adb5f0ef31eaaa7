"""Is the completion what was asked for in form?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from r2rec_bench.core.texts import Reading, Trace
from r2rec_bench.core.types import FloatArray
from r2rec_bench.training.rewards.base import Reward, rewards


@rewards.register("format")
class Format(Reward):
    """1 when the thoughts parse, all steps are there in order and the answer is in its place; else 0.

    Source: R2Rec (arXiv 2506.05069), format reward.
    """

    range = (0.0, 1.0)

    def score(self, readings: Sequence[Reading], traces: Sequence[Trace]) -> FloatArray:
        return np.array([float(reading.valid) for reading in readings])
