"""What a model reads and writes: prompts, thoughts, readings, traces."""

from __future__ import annotations

from dataclasses import dataclass

from r2rec_bench.core.types import NONE_RATING, RATINGS, Query


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat: `role` is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model reads, in parts, so that a teacher can be shown only what step k has revealed.

    Attributes:
        system: the instruction; empty for a backbone that was trained on one task only.
        head: who is asked and what is known of the candidate.
        pieces: the evidence in the order of revelation.
        ask: the question, with the closing edge masked.
        mask: what stands for a piece not yet revealed.
        dropped: pieces left out to stay within the token budget.
        tokens: length by the counter the strategy was given.
        outcomes: the answers allowed, ascending.
        masked: whether a piece stays hidden until its step.
    """

    system: str
    head: str
    pieces: tuple[str, ...]
    ask: str
    mask: str
    dropped: int
    tokens: int
    outcomes: tuple[int, ...] = (NONE_RATING, *RATINGS)
    masked: bool = True

    @property
    def content(self) -> str:
        """The user's turn: everything revealed but the closing edge."""
        return self.view(len(self.pieces))

    @property
    def messages(self) -> tuple[Message, ...]:
        """The chat turns."""
        system = (Message("system", self.system),) if self.system else ()
        return (*system, Message("user", self.content))

    def view(self, step: int) -> str:
        """The user's turn with pieces 1 to `step` revealed and every later one masked, if pieces are."""
        step = step if self.masked else len(self.pieces)
        shown = [*self.pieces[:step], *[self.mask] * (len(self.pieces) - step)]
        return "\n".join([part for part in (self.head, *shown, self.ask) if part])


@dataclass(frozen=True, slots=True)
class Thought:
    """One step of reasoning about piece k of the evidence.

    Attributes:
        step: 1-based index of the piece it is about.
        weight: what the piece says about the target, -2 (strongly against) to +2 (strongly for).
        forecast: the value expected for the next masked edge, 0 (would not interact) to 5.
        text: as worded for the reader.
    """

    step: int
    weight: int
    forecast: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A completion, parsed. `answer` is None when there is none in its place after the thoughts."""

    thoughts: tuple[Thought, ...]
    answer: int | None
    problems: tuple[str, ...] = ()

    @property
    def valid(self) -> bool:
        return self.answer is not None and not self.problems


@dataclass(frozen=True, slots=True)
class Trace:
    """(Q, R, A): one training example.

    Attributes:
        query: who was asked about, when.
        target: item index.
        prompt: Q.
        thoughts: R.
        completion: R and A as the student should write them.
        answer: the true outcome A, 0 (did not interact) to 5.
        outcomes: per step, the true value of what its thought forecasts: the next masked edge, at last the answer.
    """

    query: Query
    target: int
    prompt: Prompt
    thoughts: tuple[Thought, ...]
    completion: str
    answer: int
    outcomes: tuple[int, ...]
