"""What the personalised baselines share: popularity for the users of whom nothing is known."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from r2rec_baselines.interactions import history, user_items
from r2rec_baselines.popularity import interaction_counts
from r2rec_bench.core.types import Candidates, FloatArray, Int32Array, InteractionLog, Query
from r2rec_bench.evaluation.base import Baseline

if TYPE_CHECKING:
    from scipy import sparse


class Personal(Baseline):
    """A baseline that learns from the user-item matrix and judges candidates by the user.

    A query without history is ranked by popularity: equal scores would lose every tie, and make of "I do not know"
    something worse than chance.
    """

    def fit(self, log: InteractionLog, seed: int) -> None:
        self._log = log
        self.learn(user_items(log), seed)

    def score(self, candidates: Candidates) -> FloatArray:
        offsets, popularity = self._log.offsets(), interaction_counts(self._log)
        scores = np.empty(candidates.items.shape)
        for row, (query, items) in enumerate(zip(candidates.queries, candidates.items, strict=True)):
            known = history(self._log, offsets, query)
            scores[row] = self.affinity(query, known, items) if len(known) else popularity[items]
        return scores

    @abstractmethod
    def learn(self, matrix: sparse.csr_array, seed: int) -> None:
        """Fit to `matrix`, float64 (users, items), 1 where there is an interaction."""

    @abstractmethod
    def affinity(self, query: Query, known: Int32Array, items: Int32Array) -> FloatArray:
        """Scores of `items`, float64 (c,).

        Args:
            query: who is asked, when.
            known: int32 (known,), items that the user had before, at least one.
            items: int32 (c,), the candidates.
        """
