"""Matrix factorisations of the library `implicit`."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Protocol

import numpy as np
from threadpoolctl import threadpool_limits

from r2rec_baselines.factors import Factors
from r2rec_bench.core.errors import InputError
from r2rec_bench.core.types import Float32Array

if TYPE_CHECKING:
    from scipy import sparse


class FactorModel(Protocol):
    """What is used of a model of `implicit`."""

    user_factors: Float32Array
    item_factors: Float32Array

    def fit(self, user_items: sparse.csr_matrix, show_progress: bool) -> None:
        """Learn both factors from a (users, items) matrix."""
        ...


class Factorization(Factors):
    """A model of `implicit`, fitted to who interacted with what."""

    @abstractmethod
    def model(self, seed: int) -> FactorModel:
        """The library's model, not yet fitted."""

    def learn(self, matrix: sparse.csr_array, seed: int) -> None:
        from scipy import sparse

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
        self.n_learnt = np.diff(matrix.indptr).astype(np.int64)
        self.user_vectors = model.user_factors.astype(np.float64)
        self.item_vectors = model.item_factors.astype(np.float64)
