"""The paper's strategy."""

from __future__ import annotations

from r2rec_bench.prompts.base import PromptStrategy, prompt_strategies
from r2rec_bench.prompts.wording import Thinking


@prompt_strategies.register("progressive_mask")
class ProgressiveMask(PromptStrategy):
    """The evidence is revealed piece by piece; a thought per piece forecasts the next masked edge, then the answer.

    The masks are for whoever writes the thoughts that are learnt from. The student is asked once: its prompt has all
    the pieces, in training as at inference, and of their edges the closing one alone is masked. So what its thoughts
    forecast within a single chain stands in its prompt; what they forecast of the closing edge, as all do that are
    about bundles, does not.

    Source: R2Rec (arXiv 2506.05069), progressive masked prompting and interaction-of-thought.
    """

    thinking = Thinking.STEPS
