"""Evidence without reasoning."""

from __future__ import annotations

from r2rec_bench.prompts.base import PromptStrategy, prompt_strategies
from r2rec_bench.prompts.wording import Thinking


@prompt_strategies.register("direct")
class Direct(PromptStrategy):
    """The same question and evidence, answered at once: the no-reasoning ablation.

    Source: ablation of R2Rec (arXiv 2506.05069).
    """

    thinking = Thinking.NONE
