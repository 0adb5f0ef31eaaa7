"""What a metric is given and what it returns."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, TypeAlias

import numpy as np
from pydantic import Field

from r2rec_bench.core.registry import Component, Registry
from r2rec_bench.core.types import Candidates, FloatArray, Int64Array, Ranking

Cutoffs: TypeAlias = Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]
"""How many of the best candidates count, each setting giving a column of its own."""


class Metric(Component):
    """One number per user.

    `higher_is_better` says which end is good; `None` where neither is.
    """

    higher_is_better: bool | None = True

    @abstractmethod
    def per_user(self, ranking: Ranking, candidates: Candidates) -> dict[str, FloatArray]:
        """Values by column name (`hr@1`, `hr@3`, ...), each float64 (q,); NaN where undefined for a user."""


def ranks(ranking: Ranking, candidates: Candidates) -> Int64Array:
    """Rank of each positive, 1 = best, int64 (q,).

    Pessimistic: ties are broken against the positive, so a constant scorer ranks it last; a NaN score (no valid
    answer) is below every number and ties with every other NaN (PROTOCOL, Task and splits).
    """
    scores = np.where(np.isnan(ranking.scores), -np.inf, ranking.scores)
    rows = np.arange(len(candidates))
    positive = scores[rows, candidates.positive][:, None]
    return (scores >= positive).sum(axis=1).astype(np.int64)


def rating_errors(ranking: Ranking, candidates: Candidates) -> FloatArray:
    """Predicted less true rating of each positive, float64 (q,), -4 to 4; NaN where either is missing."""
    return ranking.ratings[np.arange(len(candidates)), candidates.positive] - candidates.rating.astype(np.float64)


metrics: Registry[Metric] = Registry("metrics", "metric", Metric, "r2rec_bench.evaluation.metrics")
