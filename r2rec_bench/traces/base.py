"""What a teacher is: it is shown the evidence step by step and writes the thoughts."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from r2rec_bench.core.registry import Component, Registry
from r2rec_bench.core.texts import Prompt, Thought
from r2rec_bench.prompts.base import Question
from r2rec_bench.prompts.steps import Step
from r2rec_bench.prompts.wording import Wording


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """One question put to a teacher.

    Attributes:
        question: as the student will be asked.
        prompt: what the teacher reads, by default the student's prompt; `prompt.view(k)` is what step k may know.
        steps: the evidence kept in the prompt, in order.
        answer: the true outcome, guidance for the conclusion only: no thought may depend on it, unless the prompt is
            not masked and tells it.
    """

    question: Question
    prompt: Prompt
    steps: tuple[Step, ...]
    answer: int


class Teacher(Component):
    """Writes the thoughts of traces."""

    @abstractmethod
    def explain(self, lessons: Sequence[Lesson], wording: Wording) -> list[tuple[Thought, ...] | None]:
        """Thoughts for each lesson, one per step and in order; None where the teacher gave none."""


teachers: Registry[Teacher] = Registry("teachers", "teacher", Teacher, "r2rec_bench.traces")
