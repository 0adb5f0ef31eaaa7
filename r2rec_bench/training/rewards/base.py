"""What a reward is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from r2rec_bench.core.registry import Component, Registry
from r2rec_bench.core.texts import Reading, Trace
from r2rec_bench.core.types import FloatArray


class Reward(Component):
    """Scores completions; weighted and added up by the stage that uses it."""

    range: ClassVar[tuple[float, float]]
    """Lowest and highest score possible."""

    @abstractmethod
    def score(self, readings: Sequence[Reading], traces: Sequence[Trace]) -> FloatArray:
        """Scores within `range`, float64 (n,).

        Args:
            readings: completions, parsed.
            traces: what each was asked, with the true answer, and the outcomes its thoughts forecast.
        """


rewards: Registry[Reward] = Registry("rewards", "reward", Reward, "r2rec_bench.training.rewards")
