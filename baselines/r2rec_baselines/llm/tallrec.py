"""Yes or no, learnt by supervised fine-tuning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from r2rec_baselines.llm.parts import HistoryConfig, stage, with_untouched, without_chains
from r2rec_bench.evaluation.base import Recipe, baselines


@baselines.register("tallrec")
class TALLRec(Recipe):
    """The backbone fine-tuned to say whether the user would interact with an item; ranked by the probability of yes.

    History in the prompt, no chains, no reasoning; adapters where the backbone trains any. What differs: a yes is any
    interaction and a no an item never touched, where the original has liked (above 3) and disliked interactions;
    history is one list in order with ratings, not a liked and a disliked one; there is no tuning on general
    instructions first; the number of examples and the optimiser are the experiment's SFT stage's, not a few shots.

    Source: TALLRec, Bao et al. (RecSys 2023, arXiv 2305.00447).
    """

    config: HistoryConfig
    exact = False

    def change(self, experiment: Mapping[str, Any]) -> Mapping[str, Any]:
        return {
            **without_chains(experiment, "direct", self.config),
            "teacher": {"use": "template"},  # never asked, since nothing is thought
            "queries": with_untouched(experiment),
            "stages": [stage(experiment, "sft")],
            "ranker": {"use": "interaction"},
        }
