"""Linear item-to-item models: a candidate's score is the sum of its weights from what the user has had."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from r2rec_baselines.personal import Personal
from r2rec_bench.core.types import FloatArray, Int32Array, Query

if TYPE_CHECKING:
    from scipy import sparse


class ItemToItem(Personal):
    """A model that is one dense matrix of weights from item to item (800 MB for 10,000 items)."""

    @abstractmethod
    def weights(self, matrix: sparse.csr_array) -> FloatArray:
        """Weight of each known item (row) for each candidate (column), float64 (items, items), diagonal 0.

        Args:
            matrix: float64 (users, items), 1 where there is an interaction.
        """

    def learn(self, matrix: sparse.csr_array, seed: int) -> None:
        self._weights = self.weights(matrix)

    def affinity(self, query: Query, known: Int32Array, items: Int32Array) -> FloatArray:
        return self._weights[np.ix_(known, items)].sum(axis=0)
