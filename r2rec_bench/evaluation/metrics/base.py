"""What a metric is given and what it returns."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, TypeAlias

import numpy as np
from pydantic import Field

from r2rec_bench.core.registry import Component, Registry
from r2rec_bench.core.texts import Reading, Thought
from r2rec_bench.core.types import BoolArray, Candidates, FloatArray, Int64Array, Ranking
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


@dataclass(frozen=True, eq=False)
class Answered:
    """A system's answer to all candidate lists, with what it takes to judge it.

    Without slots, so that all metrics share what several of them need.

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

    @cached_property
    def rank(self) -> Int64Array:
        """As `ranks`."""
        return ranks(self.ranking, self.candidates)

    @cached_property
    def order(self) -> Int64Array:
        """As `order`."""
        return order(self.ranking, self.candidates)

    @cached_property
    def readings(self) -> Sequence[Sequence[Reading | None]]:
        """What was written about each candidate, parsed, (q, c); empty for a system without a language model.

        None where the ranker did not put the question about that candidate alone, and so got no thoughts about it.
        """
        r = self.reasoning
        if r is None or not self.ranking.cases:
            return ()
        return [
            [
                r.reader.read(case.completion, asked.prompt) if case.prompt == asked.prompt.content else None
                for case, asked in zip(cases, questions, strict=True)
            ]
            for cases, questions in zip(self.ranking.cases, r.asked, strict=True)
        ]

    def thoughts(self) -> Iterator[tuple[int, int, Asked, Thought]]:
        """Every thought that was written and could be read: list, column, what was asked there, the thought."""
        for row, readings in enumerate(self.readings):
            for column, reading in enumerate(readings):
                if reading is not None and self.reasoning is not None:
                    asked = self.reasoning.asked[row][column]
                    yield from ((row, column, asked, thought) for thought in reading.thoughts)


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
    answer) is below every number and ties with every other NaN.
    """
    scores = _comparable(ranking)
    rows = np.arange(len(candidates))
    positive = scores[rows, candidates.positive][:, None]
    return (scores >= positive).sum(axis=1).astype(np.int64)


def order(ranking: Ranking, candidates: Candidates) -> Int64Array:
    """Columns of each list from best to worst, int64 (q, c).

    The positive stands behind all its equals, as in `ranks`; other equals keep the order of the list, which is random.
    """
    others = np.arange(ranking.scores.shape[1] - 1)
    positive = candidates.positive[:, None].astype(np.int64)
    # With the positive last in every list, a stable sort leaves it behind its equals.
    columns = np.hstack([others + (others >= positive), positive])
    by_score = np.argsort(-np.take_along_axis(_comparable(ranking), columns, axis=1), axis=1, kind="stable")
    return np.take_along_axis(columns, by_score, axis=1)


def best(answered: Answered, k: int) -> tuple[Int64Array, BoolArray]:
    """Item indices of the first k candidates of each list, int64 (q, k), best first, and which have a valid score."""
    rows, columns = np.arange(len(answered.order))[:, None], answered.order[:, :k]
    return answered.candidates.items[rows, columns].astype(np.int64), ~np.isnan(answered.ranking.scores[rows, columns])


def recommended(answered: Answered, ids: Sequence[str], k: int) -> tuple[tuple[str, ...], ...]:
    """The first k candidates of each list by their `ids`, best first; one without a valid score is not recommended."""
    items, scored = best(answered, k)
    found = list(map(tuple, np.array(ids, dtype=np.object_)[items].tolist()))
    for row in np.flatnonzero(~scored.all(axis=1)).tolist():
        found[row] = tuple(one for one, known in zip(found[row], scored[row], strict=True) if known)
    return tuple(found)


def per_list(rows: Sequence[int], values: Sequence[float], lists: int) -> FloatArray:
    """Mean of the values that belong to each list, float64 (lists,); NaN for a list without any.

    Args:
        rows: the list of each value.
        values: as many.
        lists: how many there are.
    """
    n = np.bincount(np.asarray(rows, np.int64), minlength=lists)
    total = np.bincount(np.asarray(rows, np.int64), np.asarray(values, np.float64), minlength=lists)
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)


def _comparable(ranking: Ranking) -> FloatArray:
    return np.where(np.isnan(ranking.scores), -np.inf, ranking.scores)


def rating_errors(ranking: Ranking, candidates: Candidates) -> FloatArray:
    """Predicted less true rating of each positive, float64 (q,), -4 to 4; NaN where either is missing."""
    return ranking.ratings[np.arange(len(candidates)), candidates.positive] - candidates.rating.astype(np.float64)


metrics: Registry[Metric] = Registry("metrics", "metric", Metric, "r2rec_bench.evaluation.metrics")
