"""Good traces spoilt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, Self

import numpy as np
from pydantic import model_validator

from r2rec_bench.core.config import Config
from r2rec_bench.core.seeds import generator
from r2rec_bench.core.texts import Thought, Trace
from r2rec_bench.core.types import NONE_RATING, RATINGS
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.prompts.wording import Wording
from r2rec_bench.training.base import StageContext
from r2rec_bench.training.pairs.base import Pair, Paired, PairMaker, pair_makers

_FAR = 2
"""Ratings so far apart are not a matter of taste."""


class CorruptedConfig(Config):
    """What is spoilt; all else, and the form, stays as it was."""

    answer: Literal["wrong", "kept"] = "wrong"
    """`wrong`: another outcome than the true one."""
    thoughts: Literal["opposed", "foreign", "kept"] = "opposed"
    """`opposed`: each weighs its evidence the other way and forecasts wrongly; `foreign`: another trace's."""

    @model_validator(mode="after")
    def _spoils(self) -> Self:
        if self.answer == self.thoughts == "kept":
            raise ValueError("answer and thoughts are both kept: nothing tells the two completions apart. Change one")
        return self


@pair_makers.register("corrupted")
class Corrupted(PairMaker):
    """The trace's own completion against itself with a wrong answer, unsound thoughts, or both; needs no model.

    Where the answer may be "would not interact", that is the wrong answer to any rating, and the wrong answer to it is
    a rating, drawn as often as the traces give it; among ratings a wrong one is two or more away where there is such.
    A forecast is spoilt in the same way against the true value of what it forecasts, a weight changes its sign, and a
    neutral one goes to either end.

    Source: this project.
    """

    config: CorruptedConfig

    def pair(self, traces: Sequence[Trace], model: LanguageModel, context: StageContext) -> Paired:
        spoilt = [(trace, text) for trace, text in zip(traces, self.spoil(traces, context), strict=True) if text]
        prompts = model.encode([trace.prompt for trace, _ in spoilt])
        chosen = model.encode_completions([trace.completion for trace, _ in spoilt])
        rejected = model.encode_completions([text for _, text in spoilt])
        pairs = tuple(Pair(*ids) for ids in zip(prompts, chosen, rejected, strict=True))
        return Paired(pairs, {"without_pair": float(len(traces) - len(pairs))})

    def spoil(self, traces: Sequence[Trace], context: StageContext) -> list[str]:
        """A worse completion for each of `traces`; empty where what should be spoilt is not there."""
        ratings = sorted(trace.answer for trace in traces if trace.answer != NONE_RATING) or RATINGS
        alike: dict[int, list[Trace]] = defaultdict(list)
        for trace in traces:
            alike[len(trace.thoughts)].append(trace)
        return [self._spoilt(trace, ratings, alike, context) for trace in traces]

    def _spoilt(
        self, trace: Trace, ratings: Sequence[int], alike: Mapping[int, Sequence[Trace]], context: StageContext
    ) -> str:
        rng = generator(context.seed, "corrupted", trace.query.user, trace.query.position, trace.target)
        answer, thoughts = trace.answer, trace.thoughts
        if self.config.answer == "wrong":
            answer = _wrong(answer, trace.prompt.outcomes, ratings, rng)
        if context.strategy.thinks and self.config.thoughts == "opposed":
            thoughts = _opposed(trace, ratings, context.wording, rng)
        elif context.strategy.thinks and self.config.thoughts == "foreign":
            thoughts = _foreign(trace, alike[len(thoughts)], rng)
        completion = context.strategy.complete(thoughts, answer, context.wording)
        return "" if completion == trace.completion else completion


def _wrong(true: int, allowed: Sequence[int], ratings: Sequence[int], rng: np.random.Generator) -> int:
    """An outcome that is not `true`, but one that could have been."""
    if NONE_RATING in allowed:
        return ratings[int(rng.integers(len(ratings)))] if true == NONE_RATING else NONE_RATING
    others = [outcome for outcome in allowed if outcome != true]
    far = [outcome for outcome in others if abs(outcome - true) >= _FAR] or others
    return far[int(rng.integers(len(far)))] if far else true


def _opposed(trace: Trace, ratings: Sequence[int], wording: Wording, rng: np.random.Generator) -> tuple[Thought, ...]:
    spoilt: list[Thought] = []
    for thought, true in zip(trace.thoughts, trace.outcomes, strict=True):
        weight = -thought.weight or int(rng.choice([-2, 2]))
        # What is not the answer is the rating of an edge that is there: "would not interact" is no forecast of it.
        allowed = trace.prompt.outcomes if true == trace.answer else RATINGS
        silent = Thought(thought.step, weight, _wrong(true, allowed, ratings, rng))
        spoilt.append(replace(silent, text=wording.phrased(silent, wording.words(thought.text))))
    return tuple(spoilt)


def _foreign(trace: Trace, alike: Sequence[Trace], rng: np.random.Generator) -> tuple[Thought, ...]:
    """The thoughts of another trace with as many, at random among those that differ; its own where there is none."""
    said = [thought.text for thought in trace.thoughts]
    first = int(rng.integers(len(alike)))
    for other in (*alike[first:], *alike[:first]):
        if [thought.text for thought in other.thoughts] != said:
            return other.thoughts
    return trace.thoughts
