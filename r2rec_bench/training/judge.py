"""What a completion is worth: a weighted sum of rewards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, cast

import numpy as np
from pydantic import Field

from r2rec_bench.core.config import Config, Family, Spec
from r2rec_bench.core.texts import Trace
from r2rec_bench.core.types import FloatArray
from r2rec_bench.training.base import StageContext
from r2rec_bench.training.rewards.base import Reward


class WeightedReward(Config):
    """One term of the sum that is maximised."""

    reward: Annotated[Spec, Family("rewards")]
    weight: Annotated[float, Field(gt=0)] = 1.0


def default_rewards() -> tuple[WeightedReward, ...]:
    """Form, answer and steps."""
    weights = {"format": 0.5, "rating": 1.0, "step": 0.5}
    return tuple(WeightedReward.model_validate({"reward": use, "weight": weight}) for use, weight in weights.items())


def require_each_once(rewards: Sequence[WeightedReward]) -> None:
    """Raise ValueError if a reward is named twice."""
    names = [term.reward.use for term in rewards]
    if len(set(names)) < len(names):
        raise ValueError(f"rewards: each is given once; got {', '.join(names)}")


class Judge:
    """Reads completions and rewards them.

    Args:
        terms: of the sum.
        context: of the stage; says how completions are read.
    """

    def __init__(self, terms: Sequence[WeightedReward], context: StageContext) -> None:
        self.weights = {term.reward.use: term.weight for term in terms}
        self._rewards = {term.reward.use: cast("Reward", term.reward.build()) for term in terms}
        self._context = context

    def __call__(self, completions: Sequence[str], asked: Sequence[Trace]) -> dict[str, FloatArray]:
        """Rewards of `completions`, which answer the prompts of `asked`: by name, float64 (n,), not yet weighted."""
        strategy, wording = self._context.strategy, self._context.wording
        readings = [
            strategy.read(completion, trace.prompt, wording)
            for completion, trace in zip(completions, asked, strict=True)
        ]
        return {name: reward.score(readings, asked) for name, reward in self._rewards.items()}

    def total(self, rewards: Mapping[str, FloatArray]) -> FloatArray:
        """The weighted sum, float64 (n,)."""
        return np.sum([self.weights[name] * values for name, values in rewards.items()], axis=0)
