"""What a metric is given and what it returns."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import numpy as np
from pydantic import Field

from r2rec_bench.core.registry import Component, Registry
from r2rec_bench.core.types import Candidates, FloatArray, Int64Array, Ranking
from r2rec_bench.evaluation.base import Reader
from r2rec_bench.prompts.base import Asked

Cutoffs: TypeAlias = Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]
"""How many of the best candidates count, each setting giving a column of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Reasoning:
    """What a language model was asked about the candidates, and the means to ask it again.

    Attributes:
        asked: (q, c), the question about each candidate; what was written stands in the ranking's cases.
        reader: parses completions.
        again: ranks other questions with the same model and ranker.
    """

    asked: Sequence[Sequence[Asked]]
    reader: Reader
    again: Callable[[Sequence[Sequence[Asked]]], Ranking]


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """A system's answer to all candidate lists, with what it takes to judge it.

    Attributes:
        ranking: the answer.
        candidates: the lists, (q, c).
        item_seen: int64 (items,), interactions of each item in the visible fold.
        user_seen: int64 (q,), interactions that each query sees of its own user.
        reasoning: None for a system without a language model.
    """

    ranking: Ranking
    candidates: Candidates
    item_seen: Int64Array
    user_seen: Int64Array
    reasoning: Reasoning | None = None


class Metric(Component):
    """One number per user.

    `higher_is_better` says which end is good; `None` where neither is.
    """

    higher_is_better: bool | None = True

    @abstractmethod
    def per_user(self, answered: Answered) -> dict[str, FloatArray]:
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
