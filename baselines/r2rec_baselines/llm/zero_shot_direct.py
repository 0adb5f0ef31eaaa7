"""The backbone as it is, asked at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from r2rec_baselines.llm.parts import HistoryConfig, pointwise, without_chains
from r2rec_bench.evaluation.base import Recipe, baselines


@baselines.register("zero_shot_direct")
class ZeroShotDirect(Recipe):
    """The untrained backbone, told the user's history, rates each candidate without reasoning.

    Source: zero-shot rating prediction, e.g. Kang et al. (arXiv 2305.06474); the prompt and the reading of the answer
    as a distribution are this project's.
    """

    config: HistoryConfig

    def change(self, experiment: Mapping[str, Any]) -> Mapping[str, Any]:
        return {
            **without_chains(experiment, "direct", self.config),
            "stages": [],
            "ranker": pointwise(experiment),
        }
