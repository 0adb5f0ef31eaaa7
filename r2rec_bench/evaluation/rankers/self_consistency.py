"""Several reasonings about each candidate, averaged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from r2rec_bench.core.config import Tune
from r2rec_bench.core.errors import InputError
from r2rec_bench.core.seeds import derive
from r2rec_bench.core.types import Ranking
from r2rec_bench.evaluation.base import Progress, Reader, rankers
from r2rec_bench.evaluation.rankers.rating import PointwiseConfig, RatingInteraction
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.llm.sampling import Sampling
from r2rec_bench.prompts.base import Asked


class SelfConsistencyConfig(PointwiseConfig):
    """How many reasonings, and how varied."""

    n: Annotated[int, Field(ge=2, le=256), Tune(3, 16)] = 5
    """Reasonings sampled per candidate."""
    temperature: Annotated[float, Field(gt=0, le=2), Tune(0.5, 1.2)] = 0.7
    seed: Annotated[int, Field(ge=0)] = 0
    """Of the sampling; each candidate's draws are its own, whatever is asked beside it."""


@rankers.register("self_consistency")
class SelfConsistency(RatingInteraction):
    """As `rating_interaction`, by the mean distribution over n sampled reasonings.

    Reasonings without a valid answer are left out of the mean; a candidate is invalid where none has one.

    Source: self-consistency (arXiv 2203.11171), with distributions averaged in place of votes counted.
    """

    config: SelfConsistencyConfig

    def rank(
        self, model: LanguageModel, asked: Sequence[Sequence[Asked]], reader: Reader, progress: Progress
    ) -> Ranking:
        if not reader.thinks:
            raise InputError(
                "ranker self_consistency averages over reasonings, but the prompting strategy has none. "
                "Use a strategy that thinks, e.g. progressive_mask, or the ranker rating_interaction"
            )
        return super().rank(model, asked, reader, progress)

    def draws(self) -> Sequence[Sampling]:
        return [Sampling(self.config.temperature, derive(self.config.seed, "draw", k)) for k in range(self.config.n)]
