"""What a prompting strategy is: what the model is shown, whether it thinks, and how its completion is read.

The common part renders head, evidence and question within the token budget; a strategy says what differs.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from r2rec_bench.core.config import Config, Tune
from r2rec_bench.core.errors import InputError
from r2rec_bench.core.registry import Component, Registry
from r2rec_bench.core.texts import Prompt, Reading, Thought
from r2rec_bench.core.types import Evidence, ItemCatalog
from r2rec_bench.graph import VisibleGraph
from r2rec_bench.prompts.steps import Step, ends_of, steps_of
from r2rec_bench.prompts.wording import Thinking, Wording


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """Would this user like this item, and what is known?

    Attributes:
        visible: the query's visible graph.
        target: item index of the candidate.
        evidence: chains or bundles about it.
        catalog: titles.
        outcomes: the answers allowed, ascending: 1 to 5, or 0 to 5 where "would not interact" is one.
    """

    visible: VisibleGraph
    target: int
    evidence: Evidence
    catalog: ItemCatalog
    outcomes: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A question as it is put.

    Attributes:
        question: who, what, and the evidence.
        prompt: what is read; `prompt.view(k)` is what step k may know.
        steps: the evidence kept in the prompt, in order.
    """

    question: Question
    prompt: Prompt
    steps: tuple[Step, ...]


class StrategyConfig(Config):
    """Settings that every strategy has."""

    budget: Annotated[int, Field(ge=16, le=131_072), Tune(64, 2048, log=True)] = 1024
    """Tokens that the prompt may use, system turn included; evidence that does not fit is dropped and counted."""
    history: Annotated[int, Field(ge=0, le=1000), Tune(0, 50)] = 10
    """Latest own interactions listed; only wordings with titles list them."""
    wording: Literal["auto", "compact", "verbose"] = "auto"
    """`auto`: the backbone's own."""


class PromptStrategy(Component):
    """Turns a question into a prompt, and a completion into a reading."""

    config: StrategyConfig
    thinking: ClassVar[Thinking]
    """What the completion says before its answer."""
    rated: ClassVar[bool] = True
    """Whether the prompt tells ratings."""

    @property
    def thinks(self) -> bool:
        """Whether the completion has thoughts before its answer."""
        return self.thinking is not Thinking.NONE

    def render(self, question: Question, wording: Wording, count: Callable[[str], int]) -> Prompt:
        """The prompt for `question`.

        Args:
            question: who, what, and the evidence.
            wording: how it is said.
            count: length of a text in the backbone's tokens.

        Raises:
            InputError: not even the question without evidence fits the budget.
        """
        steps = self.evidence(question)
        bare = Prompt(
            wording.system(self.thinking, question.outcomes),
            wording.head(question.visible, question.target, question.catalog, self.config.history, rated=self.rated),
            (),
            wording.ask(question.target, question.catalog, question.outcomes, self.thinking),
            wording.mask,
            dropped=0,
            tokens=0,
            outcomes=question.outcomes,
        )

        @cache
        def cut(kept: int) -> Prompt:
            pieces = tuple(self.piece(step, question, wording) for step in self.revealed(steps[:kept]))
            return replace(bare, pieces=pieces, dropped=len(steps) - kept)

        def length(kept: int) -> int:
            return count(bare.system) + count(cut(kept).content)

        ends = [end for end in ends_of(steps) if end <= wording.max_steps]
        kept, tokens = ends[-1], length(ends[-1])
        if tokens > self.config.budget:
            fitting = bisect_right(ends, self.config.budget, key=length)
            if not fitting:
                least = length(0)
                raise InputError(
                    f"prompts.budget: {self.config.budget} tokens, but the question alone takes {least}; "
                    f"raise the budget to {least} or more, or lower prompts.history ({self.config.history})"
                )
            kept = ends[fitting - 1]
            tokens = length(kept)
        return replace(cut(kept), tokens=tokens)

    def steps(self, question: Question, prompt: Prompt) -> tuple[Step, ...]:
        """What the pieces of `prompt`, which is this strategy's for `question`, reveal; a thought is due on each."""
        steps = self.evidence(question)
        return self.revealed(steps[: len(steps) - prompt.dropped])

    def evidence(self, question: Question) -> tuple[Step, ...]:
        """What this strategy would tell of the evidence if all of it fitted, piece by piece."""
        return steps_of(question.evidence)

    def revealed(self, kept: tuple[Step, ...]) -> tuple[Step, ...]:
        """The steps in which the pieces that fitted are revealed: each on its own."""
        return kept

    def piece(self, step: Step, question: Question, wording: Wording) -> str:
        """How the prompt says a step."""
        return wording.piece(step, question.target, question.catalog)

    def taught(self, prompt: Prompt, answer: int, wording: Wording) -> Prompt:
        """What a teacher reads in place of the student's `prompt`, whose true answer is `answer`: the same."""
        return prompt

    def complete(self, thoughts: Sequence[Thought], answer: int, wording: Wording) -> str:
        """The completion a student should write: thoughts, if this strategy has any, then the answer."""
        return wording.complete(thoughts if self.thinks else None, answer)

    def read(self, completion: str, prompt: Prompt, wording: Wording) -> Reading:
        """`completion` parsed; the answer counts only after the thoughts have ended, and only if `prompt` allows it."""
        steps = len(prompt.pieces) if self.thinks else None
        free = self.thinking is Thinking.FREE
        return wording.read(completion, steps=steps, outcomes=prompt.outcomes, free=free)


prompt_strategies: Registry[PromptStrategy] = Registry(
    "prompts", "prompting strategy", PromptStrategy, "r2rec_bench.prompts"
)
