"""Several reasonings about each candidate, averaged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Annotated, Literal, cast

from pydantic import Field

from r2rec_bench.core.config import Tune
from r2rec_bench.core.errors import InputError
from r2rec_bench.core.seeds import derive
from r2rec_bench.core.types import FloatArray, Ranking
from r2rec_bench.evaluation.base import Progress, Reader, Told, rankers
from r2rec_bench.evaluation.rankers.rating import Pointwise, PointwiseConfig
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.llm.sampling import Sampling
from r2rec_bench.prompts.base import Asked


class SelfConsistencyConfig(PointwiseConfig):
    """What is averaged, how many reasonings, and how varied."""

    reading: Literal["rating_interaction", "rating_expectation", "interaction"] = "rating_interaction"
    """The ranker that reads the mean distribution; it also decides which answers are asked for."""
    n: Annotated[int, Field(ge=2, le=256), Tune(3, 16)] = 5
    """Reasonings sampled per candidate."""
    temperature: Annotated[float, Field(gt=0, le=2), Tune(0.5, 1.2)] = 0.7
    seed: Annotated[int, Field(ge=0)] = 0
    """Of the sampling; each candidate's draws are its own, whatever is asked beside it."""


@rankers.register("self_consistency")
class SelfConsistency(Pointwise):
    """As the ranker that it reads with, by the mean distribution over n sampled reasonings.

    Reasonings without a valid answer are left out of the mean; a candidate is invalid where none has one.

    Source: self-consistency (arXiv 2203.11171), with distributions averaged in place of votes counted.
    """

    config: SelfConsistencyConfig

    @cached_property
    def _reading(self) -> Pointwise:
        return cast("type[Pointwise]", rankers.get(self.config.reading))()

    @property
    def outcomes(self) -> tuple[int, ...]:
        return self._reading.outcomes

    def problem(self, reader: Reader, candidates: int) -> str:
        if reader.thinks:
            return ""
        return (
            "ranker self_consistency averages over reasonings, but the prompting strategy has none. "
            f"Use a strategy that thinks, e.g. progressive_mask, or the ranker {self.config.reading}"
        )

    def rank(
        self, model: LanguageModel, asked: Sequence[Sequence[Asked]], reader: Reader, progress: Progress
    ) -> Ranking:
        if problem := self.problem(reader, len(asked[0])):
            raise InputError(problem)
        return super().rank(model, asked, reader, progress)

    def draws(self) -> Sequence[Sampling]:
        return [Sampling(self.config.temperature, derive(self.config.seed, "draw", k)) for k in range(self.config.n)]

    def score(self, known: FloatArray) -> FloatArray:
        return self._reading.score(known)

    def ratings(self, known: FloatArray) -> FloatArray:
        return self._reading.ratings(known)

    def retold(
        self, asked: Sequence[Asked], column: int, completion: str, reader: Reader, count: Callable[[str], int]
    ) -> Told:
        return self._reading.retold(asked, column, completion, reader, count)
