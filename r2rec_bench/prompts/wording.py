"""How evidence, questions and thoughts are said: `compact` for a small backbone, `verbose` for a chat model."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import StrEnum
from typing import ClassVar

from r2rec_bench.core.texts import Reading, Thought
from r2rec_bench.core.types import ItemCatalog
from r2rec_bench.graph import VisibleGraph
from r2rec_bench.prompts.list_wording import ListWording
from r2rec_bench.prompts.steps import Step

THINK_OPEN, THINK_CLOSE = "<think>", "</think>"
ANSWER_OPEN, ANSWER_CLOSE = "<answer>", "</answer>"


class Thinking(StrEnum):
    """What is written before the answer."""

    NONE = "none"
    STEPS = "steps"
    """A thought per piece of evidence, in order."""
    WHOLE = "whole"
    """One thought about all the evidence."""
    FREE = "free"
    """Anything, between the think tags."""


class Wording(ABC):
    """One way of saying everything that prompts and completions say."""

    name: ClassVar[str]
    mask: ClassVar[str]
    """Stands for a piece of evidence that is not yet revealed."""
    answer_open: ClassVar[str]
    """What precedes the answer; the next token is the outcome."""
    separator: ClassVar[str]
    """Between the end of the thoughts and `answer_open`."""
    quotes: ClassVar[bool]
    """Whether thoughts quote the evidence, so that what they name can be checked against what was revealed."""
    max_steps: ClassVar[int]
    """Most pieces of evidence that it has words for."""
    thought_tokens: ClassVar[int]
    """Enough for one thought about one piece of evidence, in the tokens of any model that reads this wording."""
    other_tokens: ClassVar[int]
    """Enough for the rest of a completion: tags, answer, and thoughts that follow no steps."""
    thought_form: ClassVar[str]
    """How a thought is written, told to a teacher that was not trained on it."""
    legend: ClassVar[str]
    """What the codes of prompts mean, told to such a teacher; empty for plain language."""
    lists: ClassVar[ListWording | None] = None
    """What it says of several candidates at once; None for a wording without words for that."""

    def completion_tokens(self, pieces: int) -> int:
        """Enough tokens for a completion about so many pieces of evidence: what still goes on then has gone astray."""
        return self.thought_tokens * pieces + self.other_tokens

    @abstractmethod
    def system(self, thinking: Thinking, outcomes: Sequence[int]) -> str:
        """The instruction; empty for none."""

    @abstractmethod
    def head(
        self, visible: VisibleGraph, target: int, catalog: ItemCatalog, history: int, *, rated: bool = True
    ) -> str:
        """Who is asked, their latest `history` interactions, and what is known of the candidate itself.

        Args:
            visible: the query's visible graph.
            target: item index of the candidate.
            catalog: titles.
            history: interactions listed, where the wording lists any.
            rated: whether ratings, and means of them, are told.
        """

    @abstractmethod
    def number(self, step: Step) -> str:
        """What marks a piece of evidence as that step."""

    @abstractmethod
    def fact(self, step: Step, target: int, catalog: ItemCatalog) -> str:
        """What one piece of evidence says."""

    def piece(self, step: Step, target: int, catalog: ItemCatalog) -> str:
        """One piece of evidence, numbered."""
        return f"{self.number(step)} {self._facts(step, target, catalog)}"

    @abstractmethod
    def ask(self, target: int, catalog: ItemCatalog, outcomes: Sequence[int], thinking: Thinking) -> str:
        """The question, its closing edge masked."""

    @abstractmethod
    def thought(self, thought: Thought, step: Step, target: int, catalog: ItemCatalog) -> str:
        """The words of a thought about `step`."""

    @abstractmethod
    def phrased(self, thought: Thought, words: str) -> str:
        """A thought in somebody's own `words`, in this wording's form; a wording without words leaves them out."""

    @abstractmethod
    def words(self, text: str) -> str:
        """What `phrased` was given to make a thought's `text`; empty in a wording without words."""

    @abstractmethod
    def outcome(self, value: int) -> str:
        """The answer token of an outcome, 0 to 5."""

    @abstractmethod
    def block(self, thoughts: Sequence[Thought]) -> str:
        """Thoughts between their tags."""

    @abstractmethod
    def close(self, outcome: str) -> str:
        """What follows `answer_open` in a finished completion."""

    @abstractmethod
    def parse_thoughts(self, block: str) -> tuple[Thought, ...] | None:
        """The thoughts written between the think tags, or None when something else stands there."""

    @abstractmethod
    def parse_answer(self, tail: str) -> int | None:
        """The outcome written after `answer_open`, or None."""

    def complete(self, thoughts: Sequence[Thought] | None, answer: int) -> str:
        """A whole completion; `thoughts` None answers at once."""
        return self.before_answer("" if thoughts is None else self.block(thoughts)) + self.close(self.outcome(answer))

    def before_answer(self, thoughts: str) -> str:
        """A completion up to its answer's token; `thoughts` is their block, cut where it ends, or empty."""
        if not thoughts:
            return self.answer_open
        block = thoughts.partition(THINK_CLOSE)[0] + THINK_CLOSE
        return block + self.separator + self.answer_open

    def _facts(self, step: Step, target: int, catalog: ItemCatalog) -> str:
        """What a step reveals, be it one piece of evidence or several."""
        return " ".join(self.fact(part, target, catalog) for part in step.parts or (step,))

    def read(self, completion: str, *, steps: int | None, outcomes: Sequence[int], free: bool = False) -> Reading:
        """A completion parsed. What stands inside the thoughts is never taken for the answer.

        Args:
            completion: any text.
            steps: how many thoughts there should be, numbered from 1; None for an answer at once.
            outcomes: the answers allowed.
            free: whether the thoughts may be anything; then none is read.

        Returns:
            What could be read. Problems: `think` (not one block of thoughts, in front), `thoughts` (something else
            stands there), `steps` (not one thought per step, in order), `answer` (not one allowed answer, at the end).
        """
        thoughts: tuple[Thought, ...] = ()
        problems: list[str] = []
        rest = completion
        if steps is not None:
            head, closed, rest = completion.partition(THINK_CLOSE)
            before, opened, block = head.partition(THINK_OPEN)
            if before.strip() or not opened or not closed or THINK_OPEN in block or THINK_CLOSE in rest:
                return Reading((), None, ("think",))
            parsed = () if free else self.parse_thoughts(block)
            if parsed is None:
                problems.append("thoughts")
            else:
                thoughts = parsed
                if [thought.step for thought in thoughts] != list(range(1, steps + 1)):
                    problems.append("steps")
        before, opened, tail = rest.partition(self.answer_open)
        answer = self.parse_answer(tail) if opened and not before.strip() else None
        if answer not in outcomes:
            answer = None
            problems.append("answer")
        return Reading(thoughts, answer, tuple(problems))


def bucket(value: float, step: float, low: int, high: int) -> int | None:
    """`value` in units of `step`, rounded and clipped to [low, high]; None for NaN."""
    return None if math.isnan(value) else max(low, min(high, round(value / step)))
