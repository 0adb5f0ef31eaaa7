"""All edges revealed at once."""

from __future__ import annotations

from r2rec_bench.prompts.base import PromptStrategy, prompt_strategies
from r2rec_bench.prompts.steps import Hop, Step
from r2rec_bench.prompts.wording import Thinking


@prompt_strategies.register("one_shot_mask")
class OneShotMask(PromptStrategy):
    """One mask over all the evidence, then one thought about all of it.

    The thought forecasts the answer.

    Source: ablation of R2Rec (arXiv 2506.05069); the reading is this project's.
    """

    thinking = Thinking.WHOLE

    def revealed(self, kept: tuple[Step, ...]) -> tuple[Step, ...]:
        return (Step(1, Hop.WHOLE, kept[0].edge, parts=kept),) if kept else ()
