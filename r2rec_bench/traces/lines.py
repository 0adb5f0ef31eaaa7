"""Thoughts about training questions as people read, write and pass them on: one line of JSON per question.

    {"user": "12", "item": "260", "position": 31,
     "pieces": ["Step 1: The user —rated 5→ \"Alien (1979)\"; ..."],
     "thoughts": [{"step": 1, "weight": 2, "forecast": 4, "text": "Nearly all who knew it went on."}]}

Pieces are in the verbose wording whatever the student reads, so that one file teaches students of every wording, and
are there to be compared: thoughts about other evidence than an experiment shows are of no use to it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import Field, ValidationError

from r2rec_bench.core.config import Config, problems_of
from r2rec_bench.core.errors import InputError, Problem, nearest
from r2rec_bench.core.texts import Prompt, Thought
from r2rec_bench.prompts.base import Asked
from r2rec_bench.prompts.verbose import Verbose
from r2rec_bench.prompts.wording import Thinking, Wording

_WORDS = Verbose()

Key: TypeAlias = tuple[str, str, int]
"""A question: original ids of user and item, and how many of the user's own interactions come before it."""


class Said(Config):
    """One thought."""

    step: Annotated[int, Field(ge=1)]
    weight: Annotated[int, Field(ge=-2, le=2)]
    forecast: Annotated[int, Field(ge=0, le=5)]
    text: str = ""
    """In the author's own words; empty for those of the evidence."""


class Line(Config):
    """The thoughts about one question."""

    user: str
    item: str
    position: Annotated[int, Field(ge=0)]
    pieces: tuple[str, ...]
    thoughts: tuple[Said, ...]

    @property
    def key(self) -> Key:
        return self.user, self.item, self.position


@dataclass(frozen=True, slots=True)
class Read:
    """A line and its number in the file, from 1."""

    number: int
    line: Line


def key_of(asked: Asked) -> Key:
    """Which question it is, by original ids."""
    visible = asked.question.visible
    query = visible.query
    return visible.ids.users[query.user], visible.ids.items[asked.question.target], query.position


def in_words(asked: Asked, history: int | None = None, *, rated: bool = True) -> Prompt:
    """The question in the verbose wording, whatever the student reads.

    Args:
        asked: the question as it is put.
        history: latest own interactions told; all of them when None.
        rated: whether their ratings, and means of others', are told.
    """
    q = asked.question
    told = q.visible.query.position if history is None else history
    return Prompt(
        system="",
        head=_WORDS.head(q.visible, q.target, q.catalog, told, rated=rated),
        pieces=tuple(_WORDS.piece(step, q.target, q.catalog) for step in asked.steps),
        ask=_WORDS.ask(q.target, q.catalog, q.outcomes, Thinking.STEPS),
        mask=_WORDS.mask,
        dropped=asked.prompt.dropped,
        tokens=0,
        outcomes=asked.prompt.outcomes,
        masked=asked.prompt.masked,
    )


def line_of(asked: Asked, thoughts: tuple[Thought, ...], wording: Wording) -> Line:
    """What `thoughts`, in `wording`, about a question are as a line."""
    user, item, position = key_of(asked)
    said = tuple(Said(step=t.step, weight=t.weight, forecast=t.forecast, text=wording.words(t.text)) for t in thoughts)
    return Line(user=user, item=item, position=position, pieces=in_words(asked).pieces, thoughts=said)


def require(path: Path) -> None:
    """Does nothing.

    Raises:
        InputError: there is no such file.
    """
    if not path.is_file():
        near = nearest(path.name, (file.name for file in path.parent.glob("*")))
        hint = f" Did you mean '{path.with_name(near)}'?" if near else ""
        raise InputError(f"{path}: no such file.{hint} `r2rec traces annotate` and `r2rec traces export` write one")


def read_lines(path: Path) -> tuple[list[Read], list[Problem]]:
    """The lines of a file, and what is wrong with those that are none; empty lines are passed over.

    Raises:
        InputError: there is no such file.
    """
    require(path)
    lines: list[Read] = []
    problems: list[Problem] = []
    for number, text in enumerate(path.read_bytes().split(b"\n"), 1):
        if text.strip():
            try:
                lines.append(Read(number, Line.model_validate_json(text)))
            except ValidationError as error:
                problems += _placed(f"{path}:{number}", error)
    return lines, problems


def append_line(path: Path, line: Line) -> None:
    """Adds `line` to the file, on the disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":  # an editor's habit
                file.write(b"\n")
        file.write(line.model_dump_json().encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _placed(where: str, error: ValidationError) -> Iterator[Problem]:
    broken = next((detail for detail in error.errors() if detail["type"] == "json_invalid"), None)
    if broken is not None:
        yield Problem(where, broken["msg"])
        return
    for problem in problems_of(error, Line):
        yield Problem(f"{where}: {problem.where}" if problem.where else where, problem.message, problem.nearest)
