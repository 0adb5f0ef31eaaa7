"""One training question after another, put to whoever sits at the terminal: evidence, thoughts, then the truth."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from r2rec_bench.cli.console import safe, safe_lines, stdout
from r2rec_bench.core.texts import Prompt, Thought
from r2rec_bench.core.types import NONE_RATING
from r2rec_bench.prompts.verbose import Verbose

if TYPE_CHECKING:
    from r2rec_bench.prompts.steps import Step
    from r2rec_bench.traces.base import Lesson

_WORDS = Verbose()
_KEYS = "b: back, s: skip this question, q: stop"
_WEIGHTS = (-2, -1, 0, 1, 2)


class Stopped(Exception):  # noqa: N818  nothing went wrong
    """Whoever annotates wants no more, or has closed the input."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A question as it is shown.

    Attributes:
        title: which of how many it is, and who and what it is about.
        lesson: the question.
        prompt: of the lesson, in words.
    """

    title: str
    lesson: Lesson
    prompt: Prompt


def thoughts_about(shown: Shown) -> tuple[Thought, ...] | None:
    """A thought per step as it is typed, in the verbose wording; None when the question is skipped.

    Raises:
        Stopped: at `q`, or the end of the input.
    """
    console = stdout()
    console.rule(safe(shown.title), align="left")
    console.print(safe_lines(shown.prompt.head))
    if not shown.prompt.masked:
        tell_answer(shown.lesson.answer)
    entries: list[int | str] = []
    seen = None
    while len(entries) < 3 * len(shown.lesson.steps):
        place, field = divmod(len(entries), 3)
        step = shown.lesson.steps[place]
        if place != seen:
            seen = place
            _show_step(shown.prompt, step.number)
        text = _typed(_label(field, step, shown.prompt))
        match text:
            case "q":
                raise Stopped
            case "s":
                return None
            case "b":
                del entries[-1:]
            case _:
                entry = _READ[field](text, step, shown.prompt)
                if isinstance(entry, _Refused):
                    console.print(f"[yellow]{safe(entry.why)}[/]", soft_wrap=True)
                else:
                    entries.append(entry)
    return tuple(_thought(step, entries[3 * k : 3 * k + 3], shown.lesson) for k, step in enumerate(shown.lesson.steps))


def tell_answer(answer: int) -> None:
    """What the user really did."""
    did = "did not interact with it" if answer == NONE_RATING else f"rated it {answer}"
    stdout().print(f"[bold]The user {did}.[/] The conclusion of the trace is this answer.")


@dataclass(frozen=True, slots=True)
class _Refused:
    why: str


def _show_step(prompt: Prompt, step: int) -> None:
    """The evidence with the pieces up to `step` revealed."""
    console = stdout()
    console.print()
    for number, piece in enumerate(prompt.pieces, 1):
        if number == step:
            console.print(f"[bold]{safe(piece)}[/]")
        elif number < step or not prompt.masked:
            console.print(safe(piece))
        else:
            console.print(f"[dim]Step {number}: {safe(prompt.mask)}[/]")
    console.print(safe(prompt.ask))


def _label(field: int, step: Step, prompt: Prompt) -> str:
    if field == 0:
        return f"Step {step.number}. Weight, -2 strongly against to +2 strongly for ({_KEYS}): "
    if field == 1:
        if step.next_rating is not None:
            return "Forecast of the next masked rating, 1 to 5, 0 for none: "
        none = ", 0 for no interaction" if NONE_RATING in prompt.outcomes else ""
        return f"Forecast of the answer, 1 to 5{none}: "
    return "In your words (Enter takes those of the evidence): "


def _typed(label: str) -> str:
    """A line of the input without its ends.

    Raises:
        Stopped: there is none left.
    """
    stdout().print(label, end="", markup=False, soft_wrap=True)
    sys.stdout.flush()
    line = sys.stdin.readline()
    if not line:
        raise Stopped
    return line.strip()


def _whole(text: str, allowed: tuple[int, ...]) -> int | _Refused:
    try:
        value = int(text)
    except ValueError:
        value = None
    if value not in allowed:
        return _Refused(f"Expected one of {', '.join(map(str, allowed))}; got '{text}'.")
    return value


def _weight(text: str, step: Step, prompt: Prompt) -> int | _Refused:
    return _whole(text, _WEIGHTS)


def _forecast(text: str, step: Step, prompt: Prompt) -> int | _Refused:
    return _whole(text, prompt.outcomes if step.next_rating is None else tuple(range(6)))


def _sentence(text: str, step: Step, prompt: Prompt) -> str | _Refused:
    from r2rec_bench.traces.filters import tagged, unrevealed

    thought = Thought(step.number, 0, 0, _WORDS.phrased(Thought(step.number, 0, 0), text))
    if text and (not text.isprintable() or tagged(text) or _WORDS.parse_thoughts(thought.text) != (thought,)):
        return _Refused("Expected plain words on one line, without tags.")
    unknown = unrevealed(text, prompt, step.number)
    if unknown:
        return _Refused(f"Not revealed by this step: {', '.join(unknown)}. Name only what stands above.")
    return text


_READ: tuple[Callable[[str, Step, Prompt], int | str | _Refused], ...] = (_weight, _forecast, _sentence)


def _thought(step: Step, entries: list[int | str], lesson: Lesson) -> Thought:
    weight, forecast, text = int(entries[0]), int(entries[1]), str(entries[2])
    silent = Thought(step.number, weight, forecast)
    question = lesson.question
    own = partial(_WORDS.thought, silent, step, question.target, question.catalog)
    return Thought(step.number, weight, forecast, _WORDS.phrased(silent, text) if text else own())
