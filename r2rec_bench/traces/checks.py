"""Whether a line of thoughts fits the question it is about, and what its thoughts are to a student."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from r2rec_bench.core.errors import Problem
from r2rec_bench.core.texts import Thought
from r2rec_bench.prompts.wording import Wording
from r2rec_bench.traces.base import Lesson
from r2rec_bench.traces.filters import tagged, unrevealed
from r2rec_bench.traces.lines import Line, Said, in_words

_QUOTE = 160
"""Most letters of a text that a message repeats."""


def problems_with(line: Line, lesson: Lesson, wording: Wording) -> Iterator[Problem]:
    """What is wrong with a line about a question, placed within the line."""
    shown = in_words(lesson)
    if line.pieces != shown.pieces:
        yield _differing(line.pieces, shown.pieces)
        return
    steps = [said.step for said in line.thoughts]
    if steps != list(range(1, len(lesson.steps) + 1)):
        yield Problem("thoughts", f"expected one for each of the steps 1 to {len(lesson.steps)}, in order; got {steps}")
        return
    for said, thought, step in zip(line.thoughts, told(line, lesson, wording), lesson.steps, strict=True):
        where = f"thoughts.{said.step - 1}"
        if step.next_rating is None and said.forecast not in lesson.prompt.outcomes:
            allowed = ", ".join(map(str, lesson.prompt.outcomes))
            yield Problem(f"{where}.forecast", f"no answer of this experiment: {said.forecast}; allowed: {allowed}")
        plain = said.text.isprintable() and not tagged(said.text)
        if not plain or wording.parse_thoughts(thought.text) != (thought,):
            yield Problem(f"{where}.text", f"expected plain words on one line; got {_cut(said.text)}")
        evidence = lesson.prompt if wording.quotes else shown
        for name in dict.fromkeys(unrevealed(said.text, evidence, said.step)):
            later = next((k for k, piece in enumerate(shown.pieces, 1) if k > said.step and name in piece), None)
            when = f"piece {later} is the first to say it" if later else "no piece says it"
            yield Problem(f"{where}.text", f"names {_cut(name)}, which step {said.step} does not know: {when}")


def told(line: Line, lesson: Lesson, wording: Wording) -> tuple[Thought, ...]:
    """The thoughts of a line as the student reads them."""
    return tuple(_thought(said, lesson, wording, k) for k, said in enumerate(line.thoughts))


def _thought(said: Said, lesson: Lesson, wording: Wording, place: int) -> Thought:
    silent = Thought(said.step, said.weight, said.forecast)
    question = lesson.question
    words = said.text.strip()
    text = (
        wording.phrased(silent, words)
        if words
        else wording.thought(silent, lesson.steps[place], question.target, question.catalog)
    )
    return Thought(said.step, said.weight, said.forecast, text)


def _differing(got: Sequence[str], expected: Sequence[str]) -> Problem:
    """How the evidence of a line differs from what is shown now, and what would mend it."""
    common = min(len(got), len(expected))
    same = next((k for k in range(common) if got[k] != expected[k]), common)
    if Counter(map(_fact, got)) == Counter(map(_fact, expected)):
        return Problem("pieces", "the same evidence in another order; use the seed that the line was made with")
    if same == common:
        return Problem(
            "pieces",
            f"{len(got)} of them, but this experiment shows {len(expected)}, the first {same} alike; compare chains.n "
            "and prompts.budget with those that the line was made with",
        )
    return Problem(
        "pieces",
        f"the evidence is not what this experiment shows: piece {same + 1} is {_cut(got[same])}, now "
        f"{_cut(expected[same])}. Use the data, chains, prompts and seed that the line was made with, or annotate anew",
    )


def _fact(piece: str) -> str:
    """A piece of evidence without its number."""
    return piece.partition(": ")[2]


def _cut(text: str) -> str:
    return repr(text if len(text) <= _QUOTE else f"{text[:_QUOTE]}…")
