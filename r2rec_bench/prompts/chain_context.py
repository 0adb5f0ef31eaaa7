"""Chains as context, not as steps."""

from __future__ import annotations

from r2rec_bench.prompts.base import PromptStrategy, Question, prompt_strategies
from r2rec_bench.prompts.steps import Step
from r2rec_bench.prompts.wording import Thinking, Wording


@prompt_strategies.register("chain_context")
class ChainContext(PromptStrategy):
    """The evidence as a plain list without numbered steps or masks, answered at once.

    `direct` keeps the steps of `progressive_mask` and leaves out the thoughts alone; here the structure goes too.

    Source: ablation of R2Rec (arXiv 2506.05069); the reading is this project's.
    """

    thinking = Thinking.NONE

    def piece(self, step: Step, question: Question, wording: Wording) -> str:
        return wording.fact(step, question.target, question.catalog)
