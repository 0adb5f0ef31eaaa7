"""What a teacher is: it is shown the evidence step by step and writes the thoughts."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from r2rec_bench.core.registry import Component, Registry
from r2rec_bench.core.texts import Thought
from r2rec_bench.prompts.base import Asked
from r2rec_bench.prompts.wording import Wording


@dataclass(frozen=True, slots=True, eq=False)
class Lesson(Asked):
    """One question put to a teacher; its prompt is the student's unless the strategy tells teachers more.

    Attributes:
        answer: the true outcome, guidance for the conclusion only: no thought may depend on it, unless the prompt is
            not masked and tells it.
    """

    answer: int


class Teacher(Component):
    """Writes the thoughts of traces."""

    def identity(self) -> str:
        """What decides its thoughts beside its settings, e.g. a digest of a file it reads; empty where nothing does."""
        return ""

    @abstractmethod
    def explain(self, lessons: Sequence[Lesson], wording: Wording) -> list[tuple[Thought, ...] | None]:
        """Thoughts for each lesson, one per step and in order; None where the teacher gave none."""


teachers: Registry[Teacher] = Registry("teachers", "teacher", Teacher, "r2rec_bench.traces")
