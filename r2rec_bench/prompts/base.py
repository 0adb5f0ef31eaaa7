"""What a prompting strategy is: what the model is shown, whether it thinks, and how its completion is read.

The common part renders head, evidence and question within the token budget; a strategy says what differs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from r2rec_bench.core.config import Config, Tune
from r2rec_bench.core.errors import InputError
from r2rec_bench.core.registry import Component, Registry
from r2rec_bench.core.types import Evidence, ItemCatalog, Prompt, Reading, Thought
from r2rec_bench.graph import VisibleGraph
from r2rec_bench.prompts.steps import Step, steps_of
from r2rec_bench.prompts.wording import Wording


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


class StrategyConfig(Config):
    """Settings that every strategy has."""

    budget: Annotated[int, Field(ge=16, le=131_072), Tune(64, 2048, log=True)] = 1024
    """Tokens that the prompt may use, system turn included; the evidence that does not fit is dropped and counted."""
    history: Annotated[int, Field(ge=0, le=1000), Tune(0, 50)] = 10
    """Latest own interactions listed; only wordings with titles list them."""
    wording: Literal["auto", "compact", "verbose"] = "auto"
    """`auto`: the backbone's own."""


class PromptStrategy(Component):
    """Turns a question into a prompt, and a completion into a reading."""

    config: StrategyConfig
    thinks: ClassVar[bool]
    """Whether the completion has thoughts before its answer."""

    def render(self, question: Question, wording: Wording, count: Callable[[str], int]) -> Prompt:
        """The prompt for `question`.

        Args:
            question: who, what, and the evidence.
            wording: how it is said.
            count: length of a text in the backbone's tokens.

        Raises:
            InputError: not even the question without evidence fits the budget.
        """
        steps = steps_of(question.evidence)
        system = wording.system(thinks=self.thinks, outcomes=question.outcomes)
        head = wording.head(question.visible, question.target, question.catalog, self.config.history)
        ask = wording.ask(question.target, question.catalog, question.outcomes, thinks=self.thinks)
        used = count(system) + count(head) + count(ask)
        if used > self.config.budget:
            raise InputError(
                f"prompts.budget: {self.config.budget} tokens, but the question alone takes {used}; "
                f"raise the budget to {used} or more, or lower prompts.history ({self.config.history})"
            )
        pieces: list[str] = []
        units = _units(steps)
        kept = 0
        for unit in units:
            texts = [wording.piece(step, question.target, question.catalog) for step in unit]
            used += sum(count(text) for text in texts)
            if used > self.config.budget:
                used -= sum(count(text) for text in texts)
                break
            pieces += texts
            kept += 1
        return Prompt(system, head, tuple(pieces), ask, wording.mask, dropped=len(units) - kept, tokens=used)

    def complete(self, thoughts: Sequence[Thought], answer: int, wording: Wording) -> str:
        """The completion a student should write: thoughts, if this strategy has any, then the answer."""
        return wording.complete(thoughts if self.thinks else None, answer)

    def read(self, completion: str, prompt: Prompt, wording: Wording) -> Reading:
        """`completion` parsed; the answer counts only after the thoughts have ended.

        Its problems name what is wrong: no thoughts, thoughts missing or out of order, no answer.
        """
        reading = wording.read(completion, thinks=self.thinks)
        if not self.thinks:
            return reading
        numbers = [thought.step for thought in reading.thoughts]
        if numbers != list(range(1, len(prompt.pieces) + 1)):
            return replace(reading, problems=(*reading.problems, "steps"))
        return reading


def _units(steps: Sequence[Step]) -> list[list[Step]]:
    """Steps that are kept or dropped together: a bundle, or a whole chain."""
    units: list[list[Step]] = []
    for step in steps:
        if step.chain is not None and units and units[-1][0].chain is step.chain:
            units[-1].append(step)
        else:
            units.append([step])
    return units


prompt_strategies: Registry[PromptStrategy] = Registry(
    "prompts", "prompting strategy", PromptStrategy, "r2rec_bench.prompts"
)
