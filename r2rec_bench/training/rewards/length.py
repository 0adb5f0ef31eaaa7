"""Are the thoughts as short as they should be?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from r2rec_bench.core.config import Config, Tune
from r2rec_bench.core.texts import Reading, Trace
from r2rec_bench.core.types import FloatArray
from r2rec_bench.training.rewards.base import Reward, rewards


class LengthConfig(Config):
    """What is long."""

    target: Annotated[int, Field(ge=1, le=100_000), Tune(50, 1000, log=True)] = 400
    """Characters per thought that cost nothing; a verbose thought that quotes a bundle has about 310, one that quotes
    eight of them (`one_shot_mask`) up to 2,300."""


@rewards.register("length")
class Length(Reward):
    """1 while thoughts average at most `target` characters, falling evenly to 0 at twice that; 0 if not in form.

    Characters, because not every language has words apart. What is not in form earns nothing, so that leaving thoughts
    out is no way of being brief. On its own it cannot tell a right answer from a wrong one.

    Source: this project; length penalties in reinforcement learning as in Kimi k1.5 (arXiv 2501.12599).
    """

    config: LengthConfig
    range = (0.0, 1.0)

    def score(self, readings: Sequence[Reading], traces: Sequence[Trace]) -> FloatArray:
        return np.array([self._brevity(reading) if reading.valid else 0.0 for reading in readings])

    def _brevity(self, reading: Reading) -> float:
        allowed = self.config.target * max(1, len(reading.thoughts))
        written = sum(len(thought.text) for thought in reading.thoughts)
        return min(1.0, max(0.0, 2 - written / allowed))
