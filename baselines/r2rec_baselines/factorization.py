"""Matrix factorisations of the library `implicit`: a score is the dot product of a user's and an item's factors."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from r2rec_baselines.personal import Personal
from r2rec_bench.core.errors import InputError, LeakageError
from r2rec_bench.core.types import Float32Array, FloatArray, Int32Array, Query


class FactorModel(Protocol):
    """What is used of a model of `implicit`."""

    user_factors: Float32Array
    item_factors: Float32Array

    def fit(self, user_items: sparse.csr_matrix, show_progress: bool) -> None:
        """Learn both factors from a (users, items) matrix."""
        ...


class Factorization(Personal):
    """A model that is one vector per user and one per item."""

    @abstractmethod
    def model(self, seed: int) -> FactorModel:
        """The library's model, not yet fitted."""

    def learn(self, matrix: sparse.csr_array, seed: int) -> None:
        try:
            import implicit  # noqa: F401  # pyright: ignore[reportUnusedImport]
        except ImportError as error:
            raise InputError(
                f"ALS and BPR need the library 'implicit', which does not import ({error}). "
                "Install it with: pip install 'r2rec-bench[baselines]'"
            ) from error
        # After the import, which loads a BLAS of its own: its threads on top of implicit's make it many times slower.
        with threadpool_limits(1, "blas"):
            model = self.model(seed)
            model.fit(sparse.csr_matrix(matrix, dtype=np.float32), show_progress=False)
        self._n_learnt = np.diff(matrix.indptr)
        self._users = model.user_factors.astype(np.float64)
        self._items = model.item_factors.astype(np.float64)

    def affinity(self, query: Query, known: Int32Array, items: Int32Array) -> FloatArray:
        """Scores of `items`, float64 (c,).

        Raises:
            LeakageError: the model was fitted on what the user had only after the query; factors cannot forget it.
        """
        learnt = self._n_learnt[query.user]
        if learnt > len(known):
            raise LeakageError(
                f"fitted on {learnt} items of user index {query.user}, of which the query sees the first {len(known)}; "
                "fit ALS and BPR on a log in which no user goes on after their query"
            )
        return self._items[items] @ self._users[query.user]
