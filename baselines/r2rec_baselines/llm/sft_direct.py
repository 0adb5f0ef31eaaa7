"""Ratings, learnt by supervised fine-tuning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from r2rec_baselines.llm.parts import HistoryConfig, pointwise, stage, without_chains
from r2rec_bench.evaluation.base import Recipe, baselines


@baselines.register("sft_direct")
class SftDirect(Recipe):
    """The backbone fine-tuned on the true answers alone, without chains and without reasoning.

    Source: fine-tuned LLMs for rating prediction, Kang et al. (arXiv 2305.06474); the prompt and the reading of the
    answer as a distribution are this project's.
    """

    config: HistoryConfig

    def change(self, experiment: Mapping[str, Any]) -> Mapping[str, Any]:
        return {
            **without_chains(experiment, "direct", self.config),
            "teacher": {"use": "template"},  # never asked, since nothing is thought
            "stages": [stage(experiment, "sft")],
            "ranker": pointwise(experiment),
        }
