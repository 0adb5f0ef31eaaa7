"""A teacher without a model: it verbalises what the chain says and adds the evidence up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from r2rec_bench.core.config import Config
from r2rec_bench.core.types import NONE_RATING, Thought
from r2rec_bench.prompts.base import Question
from r2rec_bench.prompts.steps import Hop, Step, whole_rating
from r2rec_bench.prompts.wording import Wording
from r2rec_bench.traces.base import Lesson, Teacher, teachers

_NEUTRAL = 3
"""The middle of the scale, expected where nothing is known."""


class TemplateConfig(Config):
    prior: Annotated[float, Field(ge=-10, le=10)] = -1.0
    """Log2 odds of interacting before any evidence; about log2(.35 / .65) at the default share of training queries."""
    trust: Annotated[float, Field(ge=0, le=2)] = 0.5
    """Share of a bundle's log2 lift that counts: neighbouring bundles repeat each other, so less than one."""


@teachers.register("template")
class Template(Teacher):
    """Deterministic thoughts: each weighs its piece, then forecasts from all pieces revealed so far.

    Bundles move the log-odds of interacting by their lift, as in naive Bayes; the forecast is the rating that peers
    give, or 0 where the odds are against any interaction and that is an allowed answer. In single chains each thought
    forecasts the next masked edge: the peer's rating from the user's, the onward rating from the agreement.

    Source: this project.
    """

    config: TemplateConfig

    def explain(self, lessons: Sequence[Lesson], wording: Wording) -> list[tuple[Thought, ...] | None]:
        return [self._thoughts(lesson, wording) for lesson in lessons]

    def _thoughts(self, lesson: Lesson, wording: Wording) -> tuple[Thought, ...]:
        question = lesson.question
        state = _State(self.config, NONE_RATING in question.outcomes)
        thoughts: list[Thought] = []
        for step in lesson.steps:
            weight, forecast = state.take(step, question)
            silent = Thought(step.number, weight, forecast)
            text = wording.thought(silent, step, question.target, question.catalog)
            thoughts.append(Thought(step.number, weight, forecast, text))
        return tuple(thoughts)


class _State:
    """What has been added up over the steps so far."""

    def __init__(self, config: TemplateConfig, may_pass: bool) -> None:
        self._trust = config.trust
        self._odds = config.prior if may_pass else math.inf
        self._ratings: list[float] = []
        self._own = _NEUTRAL

    def take(self, step: Step, question: Question) -> tuple[int, int]:
        """(weight, forecast) of the next step."""
        if step.bundle is not None:
            moved = math.log2(step.bundle.forward_lift)
            self._odds += self._trust * moved
            if not math.isnan(step.bundle.mean_rating):
                self._ratings.append(step.bundle.mean_rating)
            return _weigh(moved), self._outcome()
        rating = whole_rating(step.edge.rating)
        known = rating or _NEUTRAL
        if step.hop is Hop.OWN:
            self._own = known
            return known - _NEUTRAL, known
        if step.hop is Hop.SHARED:
            apart = abs(known - self._own)
            return 2 - min(4, 2 * apart), known
        if step.edge.item != question.target:
            return known - _NEUTRAL, known
        gap = step.chain.gap_steps if step.chain is not None else 0
        near = 1.0 / math.log2(abs(gap) + 2)
        self._odds += self._trust * near
        self._ratings.append(float(known))
        return known - _NEUTRAL, self._outcome()

    def _outcome(self) -> int:
        if self._odds < 0:
            return NONE_RATING
        return whole_rating(sum(self._ratings) / len(self._ratings)) if self._ratings else _NEUTRAL


def _weigh(moved: float) -> int:
    """A log2 lift as a weight: within ±0.5 it says nothing, beyond ±1.5 it says it strongly."""
    size = 0 if abs(moved) < 0.5 else 1 if abs(moved) < 1.5 else 2
    return int(math.copysign(size, moved))
