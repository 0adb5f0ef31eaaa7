"""Do thoughts keep to what has been revealed?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from r2rec_bench.core.texts import Reading, Thought, Trace
from r2rec_bench.core.types import FloatArray
from r2rec_bench.traces.filters import grounded
from r2rec_bench.training.rewards.base import Reward, rewards


@rewards.register("grounding")
class Grounding(Reward):
    """Share of the steps whose thought names only titles and numbers that are revealed by then.

    A step without a thought counts against it, and so does a thought for a step that is not there or already has
    one. Where no thoughts are asked for there is nothing to name, and everything earns 1.

    On its own it cannot tell an empty phrase from an insight, nor whether the answer is right; in the compact wording,
    whose thoughts quote nothing, it says only whether the thoughts are there.

    Source: this project; the first half of the reward `step`.
    """

    range = (0.0, 1.0)

    def score(self, readings: Sequence[Reading], traces: Sequence[Trace]) -> FloatArray:
        return np.array(
            [share_of_steps(reading, trace, _earned) for reading, trace in zip(readings, traces, strict=True)]
        )


def _earned(thought: Thought, trace: Trace) -> float:
    return float(grounded(thought.text, trace.prompt, thought.step))


def share_of_steps(reading: Reading, trace: Trace, earned: Callable[[Thought, Trace], float]) -> float:
    """What the thoughts earn, over all steps that should have one and all thoughts too many; 1 if there are neither.

    Args:
        reading: the completion.
        trace: what was asked, with one outcome per step.
        earned: what a thought about a step that is there earns, 0 to 1.
    """
    steps = len(trace.outcomes)
    # The first thought about a step is the one that counts.
    first = {thought.step: thought for thought in reversed(reading.thoughts) if 1 <= thought.step <= steps}
    counted = steps + len(reading.thoughts) - len(first)
    return sum(earned(thought, trace) for thought in first.values()) / counted if counted else 1.0
