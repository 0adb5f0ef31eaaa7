"""Each candidate is asked on its own: thoughts are generated, then the answer is read as a distribution."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from r2rec_bench.core.config import Config
from r2rec_bench.core.resources import measure
from r2rec_bench.core.texts import Prompt
from r2rec_bench.core.types import NONE_RATING, RATINGS, BoolArray, Case, Cost, FloatArray, Ranking
from r2rec_bench.evaluation.base import Progress, Ranker, Reader, rankers
from r2rec_bench.llm.model import LanguageModel, TokenIds
from r2rec_bench.llm.sampling import Sampling
from r2rec_bench.prompts.base import Asked
from r2rec_bench.prompts.wording import THINK_CLOSE


class PointwiseConfig(Config):
    """How long a model may think."""

    max_thought_tokens: Annotated[int, Field(ge=1, le=131_072)] | None = None
    """Thoughts that have not ended by then are cut, and the answer is invalid; none is what the wording needs."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What followed one reasoning about each candidate.

    Attributes:
        known: float64 (n, outcomes), distribution over the outcomes.
        valid: bool (n,), whether the thoughts ended and an outcome was the likeliest of all answers.
        cases: (n,), what was read and written.
        written: tokens.
    """

    known: FloatArray
    valid: BoolArray
    cases: list[Case]
    written: int


class Pointwise(Ranker):
    """Scores a candidate by the distribution over answer tokens that follows its thoughts."""

    config: PointwiseConfig

    def rank(
        self, model: LanguageModel, asked: Sequence[Sequence[Asked]], reader: Reader, progress: Progress
    ) -> Ranking:
        shape = (len(asked), len(asked[0]))
        flat = [one.prompt for row in asked for one in row]
        draws = self.draws()
        done = 0

        def told(count: int) -> None:
            nonlocal done
            done += count
            progress(done // len(draws), len(flat))

        with measure() as watch:
            encoded = model.encode(flat)
            drawn = [self._answers(model, flat, encoded, reader, sampling, told) for sampling in draws]
        trusted = np.array([answers.valid for answers in drawn])
        voices = trusted.sum(axis=0)
        valid = voices > 0
        # Reasonings without a valid answer have no say; where none has one, the score is masked below.
        weights = trusted / np.maximum(voices, 1)
        known = np.einsum("dn,dno->no", weights, np.array([answers.known for answers in drawn]))
        cases = [drawn[draw].cases[row] for row, draw in enumerate(trusted.argmax(axis=0))]
        read = len(draws) * sum(map(len, encoded))
        cost = Cost(watch.seconds, read, sum(answers.written for answers in drawn), watch.peak_bytes)
        return Ranking(
            scores=_masked(self.score(known), valid).reshape(shape),
            ratings=_masked(self.ratings(known), valid).reshape(shape),
            valid=valid.reshape(shape),
            cost=cost,
            cases=tuple(tuple(cases[k : k + shape[1]]) for k in range(0, len(cases), shape[1])),
        )

    def draws(self) -> Sequence[Sampling | None]:
        """How each reasoning about a candidate is written: one, greedily."""
        return (None,)

    def _answers(
        self,
        model: LanguageModel,
        prompts: Sequence[Prompt],
        asked: Sequence[TokenIds],
        reader: Reader,
        sampling: Sampling | None,
        told: Callable[[int], None],
    ) -> Answers:
        """One reasoning about each of `prompts`, whose token ids are `asked`, and the answer that follows it."""
        outcomes = [reader.wording.outcome(value) for value in self.outcomes]
        lead, limit = reader.wording.before_answer, 0
        if reader.thinks:
            pieces = max(len(prompt.pieces) for prompt in prompts)
            limit = self.config.max_thought_tokens or reader.wording.completion_tokens(pieces)
        answered = model.answer(asked, THINK_CLOSE, limit, lead, outcomes, sampling=sampling, progress=told)
        ended = np.array([not reader.thinks or THINK_CLOSE in thought for thought in answered.thoughts])
        probabilities = np.exp(answered.scores.log_probabilities)
        likeliest = [outcomes[k] for k in probabilities.argmax(axis=1)]
        cases = [
            Case(prompt.content, lead(thought) + reader.wording.close(answer))
            for prompt, thought, answer in zip(prompts, answered.thoughts, likeliest, strict=True)
        ]
        valid = answered.scores.valid & ended
        # Zero where there is no answer: what is not a number would spoil the mean over reasonings.
        known = np.where(valid[:, None], probabilities / probabilities.sum(axis=1, keepdims=True), 0)
        return Answers(
            known=known,
            valid=valid,
            cases=cases,
            written=answered.tokens + len(asked),  # the answer is one more token each
        )

    @abstractmethod
    def score(self, known: FloatArray) -> FloatArray:
        """Score of each candidate, float64 (n,), from its distribution over outcomes, float64 (n, outcomes)."""

    def ratings(self, known: FloatArray) -> FloatArray:
        """Predicted rating of each candidate, float64 (n,), 1 to 5; NaN where ratings are not asked for."""
        return self.expected_rating(known)

    def expected_rating(self, known: FloatArray) -> FloatArray:
        """Σ r·p(r) over the ratings alone, float64 (n,), 1 to 5."""
        rated = np.array([value != NONE_RATING for value in self.outcomes])
        values = np.array(self.outcomes, dtype=np.float64)[rated]
        p = known[:, rated]
        return (p * values).sum(axis=1) / np.maximum(p.sum(axis=1), np.finfo(np.float64).tiny)


def _masked(values: FloatArray, valid: BoolArray) -> FloatArray:
    return np.where(valid, values, np.nan)


@rankers.register("rating_expectation")
class RatingExpectation(Pointwise):
    """Candidates by expected rating, Σ r·p(r) over the rating tokens after the thoughts.

    Source: one reading of R2Rec (arXiv 2506.05069), which trains on ratings and is judged by HitRatio.
    """

    @property
    def outcomes(self) -> tuple[int, ...]:
        return RATINGS

    def score(self, known: FloatArray) -> FloatArray:
        return self.expected_rating(known)


@rankers.register("rating_interaction")
class RatingInteraction(Pointwise):
    """Candidates by the probability of interacting at all, then by expected rating.

    Training questions include items that the user never touched, whose outcome is 0.

    Source: this project; for implicit feedback.
    """

    @property
    def outcomes(self) -> tuple[int, ...]:
        return (NONE_RATING, *RATINGS)

    def score(self, known: FloatArray) -> FloatArray:
        # Expected ratings only part candidates of equal probability: they weigh less than its last digits.
        return (1 - known[:, 0]) + 1e-12 * self.expected_rating(known)
