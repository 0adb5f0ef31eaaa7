"""Reasoning about ratings, learnt by reinforcement alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from r2rec_baselines.llm.parts import HistoryConfig, pointwise, stage, without_chains
from r2rec_bench.evaluation.base import Recipe, baselines

_REWARDS = [{"reward": "format", "weight": 1.0}, {"reward": "rating", "weight": 1.0}]
"""Its ±0.5 for the format is 1 or 0 here: the same but for a constant, which comparison within a group takes out."""


@baselines.register("reczero")
class RecZero(Recipe):
    """The raw backbone reinforced to think freely about history and candidate before it rates; no fine-tuning first.

    Rewards as in the original: ±0.5 for the format and 1 − |y − ŷ| / 4 for the answer, without a KL term. What
    differs: thoughts are one free block, where the original prescribes sections on user, item and their match; items
    never touched are among the questions if the experiment asks about them; learning rate, rollouts and steps are
    those of the experiment's GRPO stage. Without such a stage they are the original's, 2e-6 and 8 rollouts, and the
    stage's own defaults.

    Source: RecZero (arXiv 2510.23077).
    """

    config: HistoryConfig
    exact = False

    def change(self, experiment: Mapping[str, Any]) -> Mapping[str, Any]:
        grpo = stage(experiment, "grpo", lr=2e-6, group=8)
        return {
            **without_chains(experiment, "zero_shot_cot", self.config),
            "teacher": {"use": "template"},  # has nothing to say, since no thought follows a step
            "stages": [{**grpo, "beta": 0.0, "rewards": _REWARDS}],
            "ranker": pointwise(experiment),
        }
