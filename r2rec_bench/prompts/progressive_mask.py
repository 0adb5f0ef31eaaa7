"""The paper's strategy."""

from __future__ import annotations

from r2rec_bench.prompts.base import PromptStrategy, prompt_strategies
from r2rec_bench.prompts.wording import Thinking


@prompt_strategies.register("progressive_mask")
class ProgressiveMask(PromptStrategy):
    """The evidence is revealed piece by piece; a thought per piece forecasts the next masked edge, then the answer.

    Source: R2Rec (arXiv 2506.05069), progressive masked prompting and interaction-of-thought.
    """

    thinking = Thinking.STEPS
