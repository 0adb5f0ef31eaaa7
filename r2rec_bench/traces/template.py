"""A teacher without a model: it verbalises what the chain says and adds the evidence up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from r2rec_bench.core.config import Config
from r2rec_bench.core.texts import Thought
from r2rec_bench.core.types import NONE_RATING
from r2rec_bench.prompts.base import Question
from r2rec_bench.prompts.steps import Hop, Step, whole_rating
from r2rec_bench.prompts.wording import Wording
from r2rec_bench.traces.base import Lesson, Teacher, teachers
from r2rec_bench.traces.queries import UNRATED_TOUCH

_NEUTRAL = 3
"""The middle of the scale, expected where nothing is known."""


class TemplateConfig(Config):
    """How evidence is added up."""

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
            if not lesson.prompt.masked:  # everything asked for is there to be copied
                forecast = step.outcome(lesson.answer)
            silent = Thought(step.number, weight, forecast)
            text = wording.thought(silent, step, question.target, question.catalog)
            thoughts.append(Thought(step.number, weight, forecast, text))
        return tuple(thoughts)


class _State:
    """What has been added up over the steps so far."""

    def __init__(self, config: TemplateConfig, may_pass: bool) -> None:
        self._trust = config.trust
        self._odds = config.prior if may_pass else math.inf
        self._given: list[float] = []
        """Ratings of the target."""
        self._own = NONE_RATING
        self._unrated = True

    def take(self, step: Step, question: Question) -> tuple[int, int]:
        """(weight, forecast) of the next step."""
        if step.parts:
            taken = [self.take(part, question) for part in step.parts]
            return _mean([weight for weight, _ in taken]), taken[-1][1]
        rating = whole_rating(step.edge.rating)
        self._unrated &= rating == NONE_RATING
        if step.bundle is not None:
            moved = math.log2(step.bundle.forward_lift)
            self._take_target(self._trust * moved, step.bundle.mean_rating)
            return _lean(moved), self._outcome()
        if step.hop is Hop.ONWARD and step.edge.item == question.target:
            gap = step.chain.gap_steps if step.chain is not None else 0
            self._take_target(self._trust / math.log2(abs(gap) + 2), step.edge.rating)
            return _liking(rating), self._outcome()
        if step.hop is Hop.ONWARD and step.next_rating is None:
            return 0, self._outcome()  # a walk that ends elsewhere says nothing of the target
        if step.hop is Hop.OWN:
            self._own = rating
        if step.hop is Hop.SHARED:
            return _agreement(rating, self._own), rating or self._unknown
        return _liking(rating), rating or self._unknown

    def _take_target(self, moved: float, rating: float) -> None:
        self._odds += moved
        if not math.isnan(rating):
            self._given.append(rating)

    def _outcome(self) -> int:
        if self._odds < 0:
            return NONE_RATING
        return whole_rating(sum(self._given) / len(self._given)) if self._given else self._unknown

    @property
    def _unknown(self) -> int:
        """What to expect of a rating where nothing is known: in a world without ratings, what stands for a touch."""
        return UNRATED_TOUCH if self._unrated else _NEUTRAL


def _mean(weights: Sequence[int]) -> int:
    """What several pieces say together."""
    return round(sum(weights) / len(weights))


def _lean(moved: float) -> int:
    """A log2 lift as a weight: within ±0.5 it says nothing, beyond ±1.5 it says it strongly."""
    size = 0 if abs(moved) < 0.5 else 1 if abs(moved) < 1.5 else 2
    return int(math.copysign(size, moved))


def _liking(rating: int) -> int:
    """A rating as a weight; a missing one says nothing."""
    return rating - _NEUTRAL if rating else 0


def _agreement(rating: int, own: int) -> int:
    """Two ratings of one item as a weight: the same +2, one apart 0, else −2; a missing one says nothing."""
    return max(-2, 2 - 2 * abs(rating - own)) if rating and own else 0
