"""What every teacher promises."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from r2rec_bench.core.texts import Thought
from r2rec_bench.prompts.one_shot_mask import OneShotMask
from r2rec_bench.prompts.progressive_mask import ProgressiveMask
from r2rec_bench.prompts.wording import ANSWER_OPEN, THINK_CLOSE, THINK_OPEN, Wording
from r2rec_bench.testing.comparing import require_same, require_unchanged, told
from r2rec_bench.testing.contract import require
from r2rec_bench.testing.every import contract
from r2rec_bench.testing.questions import OUTCOMES, every_lesson
from r2rec_bench.traces.base import Lesson, Teacher

CONTRACT = contract("teachers", Teacher)
_TAGS = (THINK_OPEN, THINK_CLOSE, ANSWER_OPEN)

Thoughts = tuple[Thought, ...] | None


@CONTRACT.rule
def one_thought_per_step(teacher: Teacher) -> None:
    """For each lesson one thought per step, in order, or None; weights are -2 to 2, forecasts 0 to 5."""
    for wording, lessons in _taught(teacher):
        for lesson, thoughts in zip(lessons, _explained(teacher, lessons, wording), strict=True):
            if thoughts is None:
                continue
            numbers = [thought.step for thought in thoughts]
            due = [step.number for step in lesson.steps]
            require(numbers == due, f"thoughts about the steps {numbers}", f"one per step, {due}, or None")
            for thought in thoughts:
                require(-2 <= thought.weight <= 2, f"weight {thought.weight}", "-2 to 2")
                require(thought.forecast in OUTCOMES, f"forecast {thought.forecast}", "0 to 5")
                tagged = not thought.text.strip() or any(tag in thought.text for tag in _TAGS)
                require(not tagged, f"text {thought.text!r}", f"words, without {', '.join(_TAGS)}")


@CONTRACT.rule
def the_answer_does_not_matter(teacher: Teacher) -> None:
    """Where the prompt is masked, thoughts are the same whatever the true answer is; the last may be guided by it."""
    for wording, lessons in _taught(teacher):
        flipped = [replace(lesson, answer=(lesson.answer + 3) % 6) for lesson in lessons]
        both = (_explained(teacher, asked, wording) for asked in (lessons, flipped))
        for one, other in zip(*both, strict=True):
            if one is not None and other is not None:
                require_same(other[:-1], one[:-1], "another true answer", "the same thoughts before the last")


@CONTRACT.rule
def later_steps_do_not_matter(teacher: Teacher) -> None:
    """A thought depends on what is revealed by its step: with the steps after it cut off it is the same."""
    for wording, lessons in _taught(teacher):
        whole = _explained(teacher, lessons, wording)
        cut = [_cut(lesson) for lesson in lessons]
        for lesson, thoughts, first in zip(cut, whole, _explained(teacher, cut, wording), strict=True):
            if thoughts is not None and first is not None:
                require_same(first, thoughts[: len(lesson.steps)], "without the later steps", "the same first thoughts")


@CONTRACT.rule
def lessons_do_not_influence_each_other(teacher: Teacher) -> None:
    """A lesson gives the same thoughts alone, beside others, and asked again; lessons are left as they are."""
    for wording, lessons in _taught(teacher):
        before = told([lesson.prompt for lesson in lessons])
        together = _explained(teacher, lessons, wording)
        backwards = _explained(teacher, lessons[::-1], wording)[::-1]
        require_same(backwards, together, "lessons in reverse order", "the same thoughts")
        alone = _explained(teacher, lessons[1:2], wording)
        require_same(alone, together[1:2], "a lesson on its own", "the same thoughts")
        require_unchanged(before, [lesson.prompt for lesson in lessons], "a lesson")
        require(_explained(teacher, [], wording) == [], "an answer to no lesson", "an empty list")


@CONTRACT.rule
def identity_is_stable(teacher: Teacher) -> None:
    """`identity` is a text, and the same for the same settings, also after teaching."""
    said = [one.identity() for one in (teacher, teacher, type(teacher)(teacher.config))]
    require(len(set(said)) == 1, f"{said}", "one identity")


def _taught(teacher: Teacher) -> Iterator[tuple[Wording, list[Lesson]]]:
    """Lessons of every kind; of a teacher who is paid, or slow, only what one request after another can bear."""
    if teacher.usage is not None:
        *_, (wording, lessons) = every_lesson(ProgressiveMask())
        yield wording, lessons[:3]
        return
    yield from every_lesson(ProgressiveMask())
    yield from every_lesson(OneShotMask())


def _explained(teacher: Teacher, lessons: Sequence[Lesson], wording: Wording) -> list[Thoughts]:
    got = teacher.explain(lessons, wording)
    require(len(got) == len(lessons), f"{len(got)} answers to {len(lessons)} lessons", "one per lesson")
    return got


def _cut(lesson: Lesson) -> Lesson:
    """The lesson with its first half alone."""
    kept = (len(lesson.steps) + 1) // 2
    prompt = replace(lesson.prompt, pieces=lesson.prompt.pieces[:kept])
    return replace(lesson, prompt=prompt, steps=lesson.steps[:kept])
