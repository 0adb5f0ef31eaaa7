"""Reasoning with everything in sight, the answer included."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from r2rec_bench.core.texts import Prompt
from r2rec_bench.prompts.base import PromptStrategy, Question, prompt_strategies
from r2rec_bench.prompts.wording import Thinking, Wording


@prompt_strategies.register("no_mask")
class NoMask(PromptStrategy):
    """Thoughts are written in sight of everything, the answer included.

    An ablation for training traces, which shows why masking matters. THE TEACHER'S VIEW LEAKS THE ANSWER BY
    DESIGN, and its thoughts may: the student's own prompt, in training as at inference, has the closing edge masked,
    as that of `progressive_mask` has.

    Source: ablation of R2Rec (arXiv 2506.05069).
    """

    thinking = Thinking.STEPS

    def render(self, question: Question, wording: Wording, count: Callable[[str], int]) -> Prompt:
        return replace(super().render(question, wording, count), masked=False)

    def taught(self, prompt: Prompt, answer: int, wording: Wording) -> Prompt:
        return replace(prompt, ask=prompt.ask.replace(wording.mask, wording.outcome(answer)))
