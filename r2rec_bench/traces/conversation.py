"""What a language model is asked when it teaches, and how its replies are read: the same for every way to reach one.

`progressive`: one question per piece of evidence, which shows the pieces up to it and the thoughts so far; everything
later is masked. The true answer is told, if at all, with the last piece, when all other thoughts are written.
`whole`: the student's own prompt, and the model writes all thoughts at once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Literal, TypeAlias, TypeVar

from pydantic import Field

from r2rec_bench.core.config import Config
from r2rec_bench.core.texts import Message, Thought
from r2rec_bench.core.types import NONE_RATING
from r2rec_bench.prompts.wording import THINK_CLOSE, THINK_OPEN, Wording
from r2rec_bench.traces.base import Lesson
from r2rec_bench.traces.filters import grounded, tagged


class ConversationConfig(Config):
    """How a model that teaches is asked."""

    masking: Literal["progressive", "whole"] = "progressive"
    """`progressive`: a request per piece, later ones masked. `whole`: one request, the student's own prompt."""
    guidance: Literal["conclusion", "none"] = "conclusion"
    """`conclusion`: the true answer is told with the last piece of evidence; only `progressive` can."""
    agreeing: bool = False
    """Whether a last thought that forecasts another answer than the true one counts as a failure."""
    attempts: Annotated[int, Field(ge=1, le=10)] = 2
    """Times that one question is put before the lesson is given up."""
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    """0 takes the likeliest tokens; then `whole` asks once, since it would be told the same again."""
    max_tokens: Annotated[int, Field(ge=1, le=131_072)] | None = None
    """Most tokens of one reply; null: what the wording needs. Models that reason at length need more."""
    seed: Annotated[int, Field(ge=0)] = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """One question put to the model.

    Attributes:
        system: the instruction; empty for none.
        content: the user's turn.
        max_tokens: most tokens of the reply.
        attempt: how often this question has failed before; it moves the seed.
    """

    system: str
    content: str
    max_tokens: int
    attempt: int

    @property
    def messages(self) -> tuple[Message, ...]:
        """As chat turns."""
        system = (Message("system", self.system),) if self.system else ()
        return (*system, Message("user", self.content))


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model wrote, and whether the limit of tokens cut it off."""

    text: str
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Silence:
    """No thoughts, and why."""

    reason: str


Thoughts: TypeAlias = tuple[Thought, ...]
R = TypeVar("R")
_Dialogue: TypeAlias = Generator[Turn, Reply, R]


class Talk:
    """The conversation about one lesson, to be moved on by whoever can reach the model.

    Attributes:
        turn: the question that waits for a reply; None when the conversation is over.
        result: the thoughts, or why there are none, once it is over.
    """

    def __init__(self, lesson: Lesson, wording: Wording, config: ConversationConfig) -> None:
        teach = _whole if config.masking == "whole" else _progressive
        self.turn: Turn | None = None
        self.result: Thoughts | Silence = ()
        self._dialogue = teach(lesson, wording, config)
        self._move(partial(next, self._dialogue))

    def hear(self, reply: Reply) -> None:
        """The reply to `turn`; the next question takes its place."""
        self._move(partial(self._dialogue.send, reply))

    def give_up(self, reason: str) -> None:
        """Ends the conversation without thoughts."""
        self._dialogue.close()
        self.turn, self.result = None, Silence(reason)

    @property
    def thoughts(self) -> Thoughts | None:
        """The thoughts, or None."""
        return None if isinstance(self.result, Silence) else self.result

    def _move(self, on: Callable[[], Turn]) -> None:
        try:
            self.turn = on()
        except StopIteration as end:
            self.turn, self.result = None, end.value


def _whole(lesson: Lesson, wording: Wording, config: ConversationConfig) -> _Dialogue[Thoughts | Silence]:
    if not lesson.steps:
        return ()
    enough = config.max_tokens or wording.completion_tokens(len(lesson.steps))

    def turn(attempt: int, _: str) -> Turn:
        return Turn(lesson.prompt.system, lesson.prompt.content, enough, attempt)

    def read(reply: Reply) -> Thoughts | Silence:
        # The answer is not the teacher's to give: what it concludes is its last forecast.
        reading = wording.read(reply.text, steps=len(lesson.steps), outcomes=lesson.prompt.outcomes)
        problems = [problem for problem in reading.problems if problem != "answer"]
        if problems:
            return _unread(reply, f": {', '.join(problems)}")
        wrong = next(filter(None, (_wrong(thought, lesson, wording, config) for thought in reading.thoughts)), "")
        return Silence(wrong) if wrong else reading.thoughts

    return (yield from _attempts(turn, read, 1 if config.temperature == 0 else config.attempts))


def _progressive(lesson: Lesson, wording: Wording, config: ConversationConfig) -> _Dialogue[Thoughts | Silence]:
    thoughts: Thoughts = ()
    for step in lesson.steps:
        turn = partial(_step_turn, lesson, wording, config, thoughts)
        read = partial(_read_step, lesson, wording, config, step.number)
        got = yield from _attempts(turn, read, config.attempts)
        if isinstance(got, Silence):
            return got
        thoughts += (got,)
    return thoughts


def _attempts(turn: Callable[[int, str], Turn], read: Callable[[Reply], R | Silence], n: int) -> _Dialogue[R | Silence]:
    """What `read` makes of the first reply that it can use, or why it could not use the last of `n`."""
    failed = ""
    for attempt in range(n):
        reply = yield turn(attempt, failed)
        got = read(replace(reply, text=_seen(reply.text)))
        if not isinstance(got, Silence):
            return got
        failed = got.reason
    return Silence(failed)


def _seen(text: str) -> str:
    """The lines of a reply without what cannot be seen: escapes, marks that turn the direction of writing."""
    return "\n".join("".join(one if one.isprintable() else " " for one in line) for line in text.splitlines())


def _step_turn(
    lesson: Lesson, wording: Wording, config: ConversationConfig, thoughts: Thoughts, attempt: int, failed: str
) -> Turn:
    """The question about the piece after those that `thoughts` are about."""
    number = len(thoughts) + 1
    parts = [lesson.prompt.view(number)]
    if thoughts:
        parts.append("\n".join(["Your lines so far:", *(thought.text for thought in thoughts)]))
    if number == len(lesson.steps) and config.guidance == "conclusion":
        parts.append(
            f"This is the last piece. The answer is known to be {lesson.answer}: let the forecast of this line be "
            f"{lesson.answer}, weigh the piece as it stands, and do not say that you were told."
        )
    if failed:
        parts.append(f"An earlier reply could not be used: {failed}. Keep to the form.")
    parts.append(f"Write the line for k = {number}, and nothing else.")
    enough = config.max_tokens or wording.completion_tokens(1)
    return Turn(_instruction(lesson, wording), "\n\n".join(parts), enough, attempt)


def _instruction(lesson: Lesson, wording: Wording) -> str:
    scale = "a rating from 1 (bad) to 5 (excellent)"
    if NONE_RATING in lesson.prompt.outcomes:
        scale += f", or {NONE_RATING} if the user would not interact with the item"
    sentences = [
        "You show a student how to tell from what similar people did how a user would rate an item.",
        f"The answer is {scale}.",
        "The evidence is revealed piece by piece; what is masked nobody knows yet."
        if lesson.prompt.masked
        else "All the evidence is in sight; you go through it piece by piece.",
        f"About piece k you write one line of the form {wording.thought_form}.",
        "The weight says what this piece alone speaks for; the forecast is for the next masked rating, and where "
        "nothing but the answer is left, for the answer.",
        "Name only titles, in their quotation marks, and numbers that you have been shown." if wording.quotes else "",
        wording.legend,
    ]
    return " ".join(filter(None, sentences))


def _read_step(
    lesson: Lesson, wording: Wording, config: ConversationConfig, number: int, reply: Reply
) -> Thought | Silence:
    found = [thought for thought in _lines(reply.text, wording) if thought.step == number]
    if len(found) != 1:
        return _unread(reply)
    wrong = _wrong(found[0], lesson, wording, config)
    return Silence(wrong) if wrong else found[0]


def _lines(text: str, wording: Wording) -> list[Thought]:
    """The lines of a reply that are thoughts: those after its thinking, or else those in it."""
    before, _, after = text.rpartition(THINK_CLOSE)
    return _parsed(after, wording) or _parsed(before.replace(THINK_OPEN, "\n").replace(THINK_CLOSE, "\n"), wording)


def _parsed(text: str, wording: Wording) -> list[Thought]:
    return [thought for line in text.splitlines() if line.strip() for thought in wording.parse_thoughts(line) or ()]


def _unread(reply: Reply, problems: str = "") -> Silence:
    return Silence("cut off at max_tokens" if reply.cut else f"does not parse{problems}")


def _wrong(thought: Thought, lesson: Lesson, wording: Wording, config: ConversationConfig) -> str:
    """Why a thought that parses cannot be used; empty if it can."""
    step = lesson.steps[thought.step - 1]
    if step.next_rating is None and thought.forecast not in lesson.prompt.outcomes:
        return "forecasts what is no answer"
    if tagged(thought.text):
        return "does not parse: a tag among the words"
    if wording.quotes and not grounded(thought.text, lesson.prompt, thought.step):
        return "names what was not revealed"
    if config.agreeing and thought.step == len(lesson.steps) and thought.forecast != lesson.answer:
        return "concludes something else than the true answer"
    return ""
