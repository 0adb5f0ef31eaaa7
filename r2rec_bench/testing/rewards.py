"""What every reward promises, whatever a model writes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from r2rec_bench.core.texts import Reading, Thought, Trace
from r2rec_bench.core.types import FloatArray
from r2rec_bench.prompts.direct import Direct
from r2rec_bench.prompts.progressive_mask import ProgressiveMask
from r2rec_bench.prompts.wordings import WORDINGS
from r2rec_bench.testing.comparing import require_array, require_same, require_unchanged, told
from r2rec_bench.testing.contract import require
from r2rec_bench.testing.every import contract
from r2rec_bench.testing.questions import KINDS, traces
from r2rec_bench.training.rewards.base import Reward

CONTRACT = contract("rewards", Reward)
_UNREADABLE = Reading((), None, ("think",))


@CONTRACT.rule
def range_is_stated(reward: Reward) -> None:
    """`range` is the lowest and the highest score possible, both finite."""
    low, high = reward.range
    require(math.isfinite(low) and math.isfinite(high) and low < high, f"range {reward.range}", "(low, high), finite")


@CONTRACT.rule
def scores_are_within_the_range(reward: Reward) -> None:
    """Scores are float64, one per completion, finite and within `range`, also for hostile completions and for none."""
    low, high = reward.range
    for asked, readings in _cases():
        scores = _scored(reward, readings, asked)
        for score, reading in zip(scores.tolist(), readings, strict=True):
            require(math.isfinite(score), f"{score} for {_short(reading)}", "a finite score")
            require(low <= score <= high, f"{score:g} for {_short(reading)}", f"a score within {reward.range}")
    _scored(reward, [], [])


@CONTRACT.rule
def sound_is_not_worse_than_unreadable(reward: Reward) -> None:
    """The completion that the trace holds, true and in form, earns at least as much as one that cannot be read."""
    for asked in _traces():
        sound = [Reading(trace.thoughts, trace.answer) for trace in asked]
        good, bad = (_scored(reward, readings, asked) for readings in (sound, [_UNREADABLE] * len(asked)))
        worse = np.flatnonzero(good < bad)
        got = f"{good[worse[:1]]} for {_short(sound[worse[0]])}, {bad[worse[:1]]} for nothing" if len(worse) else ""
        require(not len(worse), got, "garbage that earns no more than what is right")


@CONTRACT.rule
def order_does_not_matter(reward: Reward) -> None:
    """The same completions in another order earn the same, now as before; what is handed in is left as it was."""
    for asked, readings in _cases():
        before = told((readings, asked))
        first = _scored(reward, readings, asked)
        backwards = _scored(type(reward)(reward.config), readings[::-1], asked[::-1])[::-1]
        np_same = np.allclose(first, backwards, rtol=1e-9, atol=1e-12)
        require(np_same, f"{backwards[:3]} in reverse order, {first[:3]} before", "the same scores")
        require_same(_scored(reward, readings, asked), first, "scored again", "the same scores")
        require_unchanged(before, (readings, asked), "a reading or a trace")


def _scored(reward: Reward, readings: Sequence[Reading], asked: Sequence[Trace]) -> FloatArray:
    return require_array(reward.score(readings, asked), np.float64, (len(readings),), f"{len(readings)} completions")


def _traces() -> Iterator[list[Trace]]:
    for wording in WORDINGS.values():
        for kind in KINDS:
            yield traces(ProgressiveMask(), wording, kind=kind)
        yield traces(Direct(), wording)


def _cases() -> Iterator[tuple[list[Trace], list[Reading]]]:
    """Every trace with every kind of completion."""
    for asked in _traces():
        for k in range(len(_completions(asked[0]))):
            yield asked, [_completions(trace)[k] for trace in asked]


def _completions(trace: Trace) -> list[Reading]:
    """Right, wrong, unreadable, without an answer, with too many thoughts, with none, with impossible ones."""
    thoughts = trace.thoughts
    strange = Thought(99, 7, -3, "\x00" * 50 + '"Canary" 12345')
    return [
        Reading(thoughts, trace.answer),
        Reading(thoughts, (trace.answer + 3) % 6),
        Reading(thoughts, None, ("answer",)),
        Reading(thoughts, 99, ("answer",)),
        Reading(thoughts, -1, ("answer",)),
        Reading((), trace.answer, ("steps",)),
        Reading(thoughts[::-1] * 40, trace.answer, ("steps",)),
        Reading((*thoughts, strange, Thought(0, 0, 0), Thought(-5, 2, 5, "x" * 9_999)), trace.answer, ("steps",)),
        _UNREADABLE,
    ]


def _short(reading: Reading) -> str:
    return f"{len(reading.thoughts)} thoughts, answer {reading.answer}, problems {reading.problems}"
