"""Which traces are fit to learn from; what is dropped is counted by reason."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from r2rec_bench.core.texts import Prompt, Trace
from r2rec_bench.prompts.base import PromptStrategy
from r2rec_bench.prompts.wording import ANSWER_OPEN, THINK_CLOSE, THINK_OPEN, Wording

_QUOTED = re.compile(r'"[^"]*"')
_SCAFFOLD = re.compile(r"^Step \d+\. |Weight: [a-z ]+\. Forecast: \d\.$")
# A number as it stands in a sentence: the compact wording's codes (#1, w+2, f4) say nothing about the evidence.
_NUMBER = re.compile(r"(?<![\w#+.-])\d+(?:\.\d+)?(?!\w)")


@dataclass(frozen=True, slots=True)
class Filtered:
    """What passed, and how many did not, by reason."""

    traces: tuple[Trace, ...]
    dropped: dict[str, int]


def keep_sound(traces: Sequence[Trace], strategy: PromptStrategy, wording: Wording, max_words: int) -> Filtered:
    """The traces that parse, conclude with the true answer, name only what they were shown, and are not too long.

    Args:
        traces: as a teacher wrote them.
        strategy: reads the completions as it will read the student's.
        wording: of the completions.
        max_words: longest completion, in words.
    """
    dropped: Counter[str] = Counter()
    sound: list[Trace] = []
    for trace in traces:
        reason = _unsound(trace, strategy, wording, max_words)
        if reason:
            dropped[reason] += 1
        else:
            sound.append(trace)
    return Filtered(tuple(sound), dict(dropped))


def _unsound(trace: Trace, strategy: PromptStrategy, wording: Wording, max_words: int) -> str:
    if len(trace.completion.split()) > max_words:
        return "too long"
    reading = strategy.read(trace.completion, trace.prompt, wording)
    if not reading.valid:
        return f"does not parse: {', '.join(reading.problems)}"
    if reading.answer != trace.answer:
        return "conclusion differs from the true answer"
    if wording.quotes and not all(grounded(thought.text, trace.prompt, thought.step) for thought in reading.thoughts):
        return "names what was not revealed"
    return ""


def grounded(text: str, prompt: Prompt, step: int) -> bool:
    """Whether every title and number that a thought names has been revealed by its step.

    The thought's own scaffolding (`Step k.`, `Weight: ...`, `Forecast: n.`) is not a claim about the evidence.
    """
    return 1 <= step <= len(prompt.pieces) and not unrevealed(text, prompt, step)


def tagged(text: str) -> bool:
    """Whether words hold a tag that would end the thoughts, or begin the answer, in their midst."""
    return any(tag in text for tag in (THINK_OPEN, THINK_CLOSE, ANSWER_OPEN))


def unrevealed(text: str, prompt: Prompt, step: int) -> list[str]:
    """The titles, in their quotation marks, and the numbers that a thought names and its step has not revealed."""
    titles, numbers = _named(text)
    if not titles and not numbers:
        return []
    shown = prompt.view(step)
    known: frozenset[str] = _numbers_of(shown) if numbers else frozenset()
    return [title for title in titles if title not in shown] + [number for number in numbers if number not in known]


@lru_cache(maxsize=4096)  # the thoughts of a group are often the same
def _named(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The titles and the numbers that a thought names."""
    said = _SCAFFOLD.sub(" ", text)
    return tuple(_QUOTED.findall(said)), tuple(_NUMBER.findall(_QUOTED.sub(" ", said)))


@lru_cache(maxsize=4096)  # and so is what they have been shown
def _numbers_of(shown: str) -> frozenset[str]:
    return frozenset(_NUMBER.findall(_QUOTED.sub(" ", shown)))
