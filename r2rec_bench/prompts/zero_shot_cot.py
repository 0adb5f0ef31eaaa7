"""Reasoning without chains."""

from __future__ import annotations

from r2rec_bench.prompts.base import PromptStrategy, Question, prompt_strategies
from r2rec_bench.prompts.steps import Step
from r2rec_bench.prompts.wording import Thinking


@prompt_strategies.register("zero_shot_cot")
class ZeroShotCot(PromptStrategy):
    """History and candidate only; the model thinks freely, then answers.

    The no-chains ablation with reasoning. Thoughts are not parsed: no teacher is asked for any, and rewards on thoughts
    see none. Train it, if at all, by reinforcement on the answer.

    Source: zero-shot chain of thought (arXiv 2205.11916); ablation of R2Rec (arXiv 2506.05069).
    """

    thinking = Thinking.FREE

    def evidence(self, question: Question) -> tuple[Step, ...]:
        return ()
