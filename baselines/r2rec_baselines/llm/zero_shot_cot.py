"""The backbone as it is, thinking step by step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from r2rec_baselines.llm.parts import HistoryConfig, pointwise, without_chains
from r2rec_bench.evaluation.base import Recipe, baselines


@baselines.register("zero_shot_cot")
class ZeroShotCot(Recipe):
    """The untrained backbone, told the user's history, thinks step by step about each candidate, then rates it.

    One prompt has thoughts and answer follow each other, in tags; the original asks for the answer in a second prompt.

    Source: zero-shot chain of thought, Kojima et al. (arXiv 2205.11916).
    """

    config: HistoryConfig

    def change(self, experiment: Mapping[str, Any]) -> Mapping[str, Any]:
        return {
            **without_chains(experiment, "zero_shot_cot", self.config),
            "stages": [],
            "ranker": pointwise(experiment),
        }
