"""Is each thought founded on what had been revealed, and does it foresee what comes next?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from r2rec_bench.core.texts import Reading, Thought, Trace
from r2rec_bench.core.types import FloatArray
from r2rec_bench.traces.filters import grounded
from r2rec_bench.training.rewards.base import Reward, rewards
from r2rec_bench.training.rewards.grounding import share_of_steps
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
        return np.array(
            [share_of_steps(reading, trace, _earned) for reading, trace in zip(readings, traces, strict=True)]
        )


def _earned(thought: Thought, trace: Trace) -> float:
    true = trace.outcomes[thought.step - 1]
    return (grounded(thought.text, trace.prompt, thought.step) + nearness(thought.forecast, true)) / 2
