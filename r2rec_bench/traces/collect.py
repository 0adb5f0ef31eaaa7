"""From training questions to traces: evidence, prompt, thoughts, filters; the same steps for every teacher."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from r2rec_bench.chains.base import ChainSampler
from r2rec_bench.core.seeds import generator
from r2rec_bench.core.texts import Prompt, Thought, Trace
from r2rec_bench.core.types import ItemCatalog, Query
from r2rec_bench.graph import InteractionGraph
from r2rec_bench.prompts.base import Asked, PromptStrategy, Question
from r2rec_bench.prompts.steps import Step
from r2rec_bench.prompts.wording import Wording
from r2rec_bench.traces.base import Lesson, Teacher, Usage
from r2rec_bench.traces.filters import keep_sound
from r2rec_bench.traces.queries import TrainingQuery

SILENT = "the teacher gave none"
"""Why a question has no trace where its teacher wrote no thoughts."""
MAX_WORDS = 2_000
"""A trace longer than this has gone astray."""


@dataclass(frozen=True, slots=True, eq=False)
class Asker:
    """Puts questions about one fold: the parts of an experiment that turn (query, item) into a prompt.

    Attributes:
        graph: of the visible fold.
        catalog: titles.
        sampler: of the evidence.
        strategy: of the prompt.
        wording: of prompt and completion.
        count: length of a text in the backbone's tokens.
        outcomes: answers allowed.
        seed: of the evidence; each (user, item) has draws of its own.
    """

    graph: InteractionGraph
    catalog: ItemCatalog
    sampler: ChainSampler
    strategy: PromptStrategy
    wording: Wording
    count: Callable[[str], int]
    outcomes: tuple[int, ...]
    seed: int

    def ask(self, query: Query, targets: Iterable[int]) -> list[Question]:
        """One question per target, their evidence drawn from the query's visible graph."""
        visible = self.graph.visible(query)
        return [
            Question(
                visible,
                target,
                self.sampler.sample(visible, target, self._rng(query, target)),
                self.catalog,
                self.outcomes,
            )
            for target in targets
        ]

    def prompts(self, query: Query, targets: Iterable[int]) -> list[Asked]:
        """Questions with their prompts."""
        return [Asked(question, *self._put(question)) for question in self.ask(query, targets)]

    def lesson(self, asked: TrainingQuery) -> Lesson:
        """A training question with its prompt and its true answer."""
        [question] = self.ask(asked.query, [asked.target])
        return Lesson(question, *self._put(question), asked.answer)

    def _put(self, question: Question) -> tuple[Prompt, tuple[Step, ...]]:
        prompt = self.strategy.render(question, self.wording, self.count)
        return prompt, self.strategy.steps(question, prompt)

    def _rng(self, query: Query, target: int) -> np.random.Generator:
        return generator(self.seed, "evidence", query.user, query.position, target)


@dataclass(frozen=True, slots=True)
class Collected:
    """Traces, and what became of the questions.

    Attributes:
        traces: sound ones, in the order of the questions.
        asked: questions put.
        dropped: questions without a trace, by reason.
        pieces_kept: pieces of evidence in the prompts.
        pieces_dropped: pieces of evidence that did not fit the token budget.
        usage: what the teacher took; None where it asked nobody.
    """

    traces: tuple[Trace, ...]
    asked: int
    dropped: dict[str, int]
    pieces_kept: int
    pieces_dropped: int
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of some of the questions.

    Attributes:
        traces: of those about which the teacher was not silent, unfiltered.
        asked: questions put.
        pieces_kept: as in `Collected`.
        pieces_dropped: as in `Collected`.
        usage: what the teacher took for them; None where it asked nobody.
    """

    traces: tuple[Trace, ...]
    asked: int
    pieces_kept: int
    pieces_dropped: int
    usage: Usage | None


def collect(
    asker: Asker, teacher: Teacher, queries: Sequence[TrainingQuery], progress: Callable[[int, int], None]
) -> Collected:
    """Traces for `queries`.

    Args:
        asker: makes evidence and prompts.
        teacher: writes the thoughts; not asked where the strategy has none.
        queries: what is asked.
        progress: told (done, in all) now and then.
    """
    batches: list[Batch] = []
    for some in in_batches(queries, teacher.batch):
        batches.append(taught(asker, teacher, some))
        progress(sum(batch.asked for batch in batches), len(queries))
    teacher.finish()
    return joined(asker, batches)


def in_batches(queries: Sequence[TrainingQuery], size: int) -> list[Sequence[TrainingQuery]]:
    """`queries` in their order, so many at a time."""
    return [queries[begin : begin + size] for begin in range(0, len(queries), size)]


def taught(asker: Asker, teacher: Teacher, queries: Sequence[TrainingQuery]) -> Batch:
    """What the teacher writes about some questions, at most as many as it is given at a time."""
    before = teacher.usage
    lessons = [asker.lesson(query) for query in queries]
    traces = _taught(asker, teacher, lessons)
    kept = sum(len(lesson.prompt.pieces) for lesson in lessons)
    dropped = sum(lesson.prompt.dropped for lesson in lessons)
    after = teacher.usage
    usage = after - before if after and before else after
    return Batch(tuple(trace for trace in traces if trace is not None), len(lessons), kept, dropped, usage)


def joined(asker: Asker, batches: Sequence[Batch]) -> Collected:
    """The sound traces of all batches."""
    known = [batch.usage for batch in batches if batch.usage is not None]
    usage = sum(known, Usage()) if known else None
    traces = [trace for batch in batches for trace in batch.traces]
    asked = sum(batch.asked for batch in batches)
    sound = keep_sound(traces, asker.strategy, asker.wording, MAX_WORDS)
    reasons = dict(sound.dropped) | _silent(asked - len(traces), usage)
    kept, dropped = (sum(getattr(batch, name) for batch in batches) for name in ("pieces_kept", "pieces_dropped"))
    return Collected(sound.traces, asked, reasons, kept, dropped, usage)


def _silent(lessons: int, usage: Usage | None) -> dict[str, int]:
    """Why so many lessons got no thoughts, as far as the teacher says."""
    known = {f"{SILENT}: {reason}": count for reason, count in usage.silent.items()} if usage else {}
    unknown = lessons - sum(known.values())
    return known | ({SILENT: unknown} if unknown else {})


def _taught(asker: Asker, teacher: Teacher, lessons: Sequence[Lesson]) -> list[Trace | None]:
    strategy, wording = asker.strategy, asker.wording
    read = [replace(lesson, prompt=strategy.taught(lesson.prompt, lesson.answer, wording)) for lesson in lessons]
    written = teacher.explain(read, wording) if strategy.thinks else [()] * len(lessons)
    return [
        None if thoughts is None else _trace(asker, lesson, thoughts)
        for lesson, thoughts in zip(lessons, written, strict=True)
    ]


def _trace(asker: Asker, lesson: Lesson, thoughts: tuple[Thought, ...]) -> Trace:
    completion = asker.strategy.complete(thoughts, lesson.answer, asker.wording)
    outcomes = tuple(step.outcome(lesson.answer) for step in lesson.steps)
    question = lesson.question
    return Trace(question.visible.query, question.target, lesson.prompt, thoughts, completion, lesson.answer, outcomes)
