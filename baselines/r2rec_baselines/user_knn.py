"""User-based nearest neighbours over shared items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from r2rec_baselines.personal import Personal
from r2rec_bench.core.config import Config, Tune
from r2rec_bench.core.types import FloatArray, Int32Array, Query
from r2rec_bench.evaluation.base import baselines

if TYPE_CHECKING:
    from scipy import sparse


class UserKNNConfig(Config):
    """Settings of UserKNN.

    Attributes:
        k: neighbours that speak, and those that tie with the last of them; everybody when not given.
        shrinkage: added to both users' counts of items, so that few shared items of two short histories weigh little.
    """

    k: Annotated[int, Field(ge=1), Tune(20, 2000, log=True)] | None = 200
    shrinkage: Annotated[float, Field(ge=0), Tune(1, 300, log=True)] = 10.0


@baselines.register("user_knn")
class UserKNN(Personal):
    """Similarity of two users = items shared / sqrt((n_u + shrinkage)(n_v + shrinkage)), summed over whoever had it.

    Neighbours are found when a query is asked, from what its user had before it; so no matrix of users by users.

    Source: Resnick et al., "GroupLens" (CSCW 1994), and Herlocker et al., "An Algorithmic Framework for Performing
    Collaborative Filtering" (SIGIR 1999), in the form for implicit feedback of Aiolli, "Efficient Top-N
    Recommendation for Very Large Scale Binary Rated Datasets" (RecSys 2013), section 3, with alpha = 1/2, q = 1.
    """

    config: UserKNNConfig

    def learn(self, matrix: sparse.csr_array, seed: int) -> None:
        by_item = matrix.tocsc()
        self._starts = by_item.indptr
        self._users: Int32Array = by_item.indices.astype(np.int32)
        self._norms = np.sqrt(np.maximum(np.diff(matrix.indptr) + self.config.shrinkage, 1.0))

    def affinity(self, query: Query, known: Int32Array, items: Int32Array) -> FloatArray:
        similarity = self._similarities(query.user, known)
        return np.array([similarity[self._who_had(item)].sum() for item in items.tolist()])

    def _who_had(self, item: int) -> Int32Array:
        return self._users[self._starts[item] : self._starts[item + 1]]

    def _similarities(self, user: int, known: Int32Array) -> FloatArray:
        """Similarity of everybody to `user`, who had `known`, float64 (users,); 0 for who is no neighbour."""
        sharers = np.concatenate([self._who_had(item) for item in known.tolist()])
        shared = np.bincount(sharers, minlength=len(self._norms)).astype(np.float64)
        shared[user] = 0.0
        similarity = shared / self._norms / np.sqrt(len(known) + self.config.shrinkage)
        k = self.config.k
        if k is not None and k < len(similarity):
            similarity[similarity < np.partition(similarity, -k)[-k]] = 0.0
        return similarity
