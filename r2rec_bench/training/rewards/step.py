"""Is each thought founded on what had been revealed, and does it foresee what comes next?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from r2rec_bench.core.texts import Reading, Trace
from r2rec_bench.core.types import FloatArray
from r2rec_bench.traces.filters import grounded
from r2rec_bench.training.rewards.base import Reward, rewards
from r2rec_bench.training.rewards.rating import nearness


@rewards.register("step")
class Step(Reward):
    """Mean over the steps of two halves: names only what is revealed by then, and how near its forecast came.

    A step without a thought scores 0; a thought for a step that is not there, or already has one, adds a step
    that scores 0.

    Source: R2Rec (arXiv 2506.05069), reasoning-step reward; the two halves are this project's choice.
    """

    range = (0.0, 1.0)

    def score(self, readings: Sequence[Reading], traces: Sequence[Trace]) -> FloatArray:
        return np.array([_steps(reading, trace) for reading, trace in zip(readings, traces, strict=True)])


def _steps(reading: Reading, trace: Trace) -> float:
    steps = len(trace.outcomes)
    # The first thought about a step is the one that counts.
    first = {thought.step: thought for thought in reversed(reading.thoughts) if 1 <= thought.step <= steps}
    counted = steps + len(reading.thoughts) - len(first)
    if not counted:
        return 1.0
    earned = [
        (grounded(thought.text, trace.prompt, step) + nearness(thought.forecast, trace.outcomes[step - 1])) / 2
        for step, thought in first.items()
    ]
    return sum(earned) / counted
