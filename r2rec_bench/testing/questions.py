"""Questions about the small worlds: put by a strategy in every wording, as lessons and as traces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from r2rec_bench.chains.closed_uniform import ClosedUniform, ClosedUniformConfig
from r2rec_bench.core.texts import Thought, Trace
from r2rec_bench.core.types import NONE_RATING, RATINGS, Visibility
from r2rec_bench.graph import InteractionGraph
from r2rec_bench.prompts.base import PromptStrategy
from r2rec_bench.prompts.wording import Wording
from r2rec_bench.prompts.wordings import WORDINGS
from r2rec_bench.testing.worlds import World, moments, worlds
from r2rec_bench.traces.base import Lesson
from r2rec_bench.traces.collect import Asker
from r2rec_bench.traces.queries import TrainingQuery

OUTCOMES = (NONE_RATING, *RATINGS)
KINDS = ("single", "bundle")


def words(text: str) -> int:
    """Length of a text where no model counts."""
    return len(text.split())


def wordings(strategy: PromptStrategy) -> list[Wording]:
    """Those that a strategy speaks: all, unless its settings name one."""
    chosen = strategy.config.wording
    return [wording for name, wording in WORDINGS.items() if chosen in {"auto", name}]


def asker(
    strategy: PromptStrategy,
    wording: Wording,
    world: World,
    *,
    kind: str = "bundle",
    visibility: Visibility = Visibility.FOLD,
    outcomes: tuple[int, ...] = OUTCOMES,
) -> Asker:
    """Puts questions about `world`, three pieces of evidence each."""
    config = ClosedUniformConfig.model_validate({"n": 3, "evidence": kind, "order": "any"})
    graph = InteractionGraph(world.log, visibility)
    return Asker(graph, world.catalog, ClosedUniform(config), strategy, wording, words, outcomes, seed=0)


def lessons(
    strategy: PromptStrategy, wording: Wording, kind: str = "bundle", world: World | None = None
) -> list[Lesson]:
    """A lesson per moment, their answers all over the scale."""
    put = asker(strategy, wording, world or worlds()[0], kind=kind)
    return [put.lesson(TrainingQuery(one.query, one.target, k % 6)) for k, one in enumerate(moments())]


def every_lesson(strategy: PromptStrategy) -> Iterator[tuple[Wording, list[Lesson]]]:
    """The lessons in every wording, of both kinds of evidence, with ratings and without."""
    for wording in wordings(strategy):
        for kind in KINDS:
            for world in worlds():
                yield wording, lessons(strategy, wording, kind, world)


def thoughts_on(lesson: Lesson, wording: Wording) -> tuple[Thought, ...]:
    """A neutral thought per step, sound in form, that names what its step reveals."""
    question = lesson.question
    made: list[Thought] = []
    for step in lesson.steps:
        bare = Thought(step.number, 0, 3)
        made.append(replace(bare, text=wording.thought(bare, step, question.target, question.catalog)))
    return tuple(made)


def traces(strategy: PromptStrategy, wording: Wording, n: int | None = None, kind: str = "bundle") -> list[Trace]:
    """Sound traces of the lessons, `n` of them, repeated as often as it takes."""
    made: list[Trace] = []
    for lesson in lessons(strategy, wording, kind):
        thoughts = thoughts_on(lesson, wording) if strategy.thinks else ()
        completion = strategy.complete(thoughts, lesson.answer, wording)
        outcomes = tuple(step.outcome(lesson.answer) for step in lesson.steps)
        question = lesson.question
        query, target = question.visible.query, question.target
        made.append(Trace(query, target, lesson.prompt, thoughts, completion, lesson.answer, outcomes))
    return made if n is None else _repeated(made, n)


def _repeated(made: Sequence[Trace], n: int) -> list[Trace]:
    return [made[k % len(made)] for k in range(n)]
