"""What a teacher is: it is shown the evidence step by step and writes the thoughts."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import ClassVar

from r2rec_bench.core.registry import Component, Registry
from r2rec_bench.core.texts import Thought
from r2rec_bench.prompts.base import Asked
from r2rec_bench.prompts.wording import Wording


@dataclass(frozen=True, slots=True, eq=False)
class Lesson(Asked):
    """One question put to a teacher; its prompt is the student's unless the strategy tells teachers more.

    Attributes:
        answer: the true outcome, guidance for the conclusion only: no thought that comes before it may depend on it,
            unless the prompt is not masked and tells it.
    """

    answer: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What a teacher took, and why it was silent.

    Attributes:
        requests: questions put to a model in this run, repeated ones included.
        retries: of these, how many repeated one that had failed.
        remembered: answers that an earlier run had paid for.
        prompt_tokens: read by the model in this run.
        completion_tokens: written by it in this run.
        price: of this run, in the currency of the teacher's settings.
        remembered_price: what the remembered answers had cost, and those that were paid for and never came.
        silent: lessons without thoughts, by reason.
    """

    requests: int = 0
    retries: int = 0
    remembered: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    price: float = 0.0
    remembered_price: float = 0.0
    silent: dict[str, int] = field(default_factory=dict[str, int])

    def __add__(self, other: Usage) -> Usage:
        """Of both."""
        return self._with(other, 1)

    def __sub__(self, earlier: Usage) -> Usage:
        """What came after `earlier`."""
        return self._with(earlier, -1)

    def _with(self, other: Usage, sign: int) -> Usage:
        counts = {
            one.name: getattr(self, one.name) + sign * getattr(other, one.name)
            for one in fields(self)
            if one.name != "silent"
        }
        reasons = dict.fromkeys([*self.silent, *other.silent])
        silent = {reason: self.silent.get(reason, 0) + sign * other.silent.get(reason, 0) for reason in reasons}
        return Usage(**counts, silent={reason: count for reason, count in silent.items() if count})


class Teacher(Component):
    """Writes the thoughts of traces."""

    batch: ClassVar[int] = 2_000
    """Lessons it is given at a time."""
    apart: ClassVar[bool] = False
    """Whether its thoughts about a batch depend on no other batch: then other processes may write them, and those of
    an interrupted run are kept."""

    @property
    def usage(self) -> Usage | None:
        """What all lessons so far took; None for a teacher that asks nobody."""
        return None

    def finish(self) -> None:
        """Called after the last lesson: the place to report what can be known only then.

        Raises:
            InputError: what it taught from cannot be used.
        """

    def identity(self) -> str:
        """What decides its thoughts beside its settings, e.g. a digest of a file it reads; empty where nothing does."""
        return ""

    @abstractmethod
    def explain(self, lessons: Sequence[Lesson], wording: Wording) -> list[tuple[Thought, ...] | None]:
        """Thoughts for each lesson, one per step and in order; None where the teacher gave none."""


teachers: Registry[Teacher] = Registry("teachers", "teacher", Teacher, "r2rec_bench.traces")
