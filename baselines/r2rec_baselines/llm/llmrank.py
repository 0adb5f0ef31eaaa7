"""The backbone as it is, choosing from a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from r2rec_baselines.llm.parts import HistoryConfig, with_untouched, without_chains
from r2rec_bench.core.config import Tune
from r2rec_bench.evaluation.base import Recipe, baselines


class LLMRankConfig(HistoryConfig):
    """How the list is put and its answer read."""

    prompting: Literal["sequential", "recency"] = "recency"
    """`recency` names the user's very latest item once more."""
    permutations: Annotated[int, Field(ge=1, le=104), Tune(1, 8)] = 3
    """Orders in which each list is put."""
    by: Literal["likelihood", "generation"] = "likelihood"
    """Whether letters are read as a distribution, or one is written."""


@baselines.register("llmrank")
class LLMRank(Recipe):
    """The untrained backbone, told the user's history in order, chooses from a list of all candidates at once.

    As in the original, history is told in order with the latest item stressed, and lists are put several times in
    other orders against position bias (bootstrapping). What differs: one letter is asked for, not a ranked list of
    titles, and ranks come from the letters' likelihoods (or counts) over the orders, not from mean ranks; history
    carries ratings, and candidates how many know them; its in-context prompting, which turns the history into an
    example, is not offered; the original asks ChatGPT, this whatever the experiment's backbone is.

    Source: LLMRank, Hou et al., "Large Language Models are Zero-Shot Rankers for Recommender Systems" (ECIR 2024,
    arXiv 2305.08845).
    """

    config: LLMRankConfig
    exact = False

    def change(self, experiment: Mapping[str, Any]) -> Mapping[str, Any]:
        ranker = {
            "use": "listwise",
            "by": self.config.by,
            "permutations": self.config.permutations,
            "recency": self.config.prompting == "recency",
            "seed": experiment["seed"],
        }
        return {
            **without_chains(experiment, "direct", self.config),
            "queries": with_untouched(experiment),  # never drawn, but the ranker insists on them
            "stages": [],
            "ranker": ranker,
        }
