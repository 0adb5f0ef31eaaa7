"""Matrix factorisation of ratings with biases, by alternating least squares."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field
from scipy import sparse
from threadpoolctl import threadpool_limits

from r2rec_baselines.factors import Factors
from r2rec_baselines.interactions import history
from r2rec_bench.core.config import Config, Tune
from r2rec_bench.core.errors import InputError
from r2rec_bench.core.seeds import generator
from r2rec_bench.core.types import RATINGS, Candidates, FloatArray
from r2rec_bench.evaluation.base import baselines


class BiasedMFConfig(Config):
    """Settings of BiasedMF.

    Attributes:
        factors: length of p_u and q_i.
        regularization: weight of the squared norms, per user and per item whatever their number of ratings.
        iterations: passes over users and items.
    """

    factors: Annotated[int, Field(ge=1), Tune(4, 128, log=True)] = 32
    regularization: Annotated[float, Field(gt=0), Tune(0.3, 30, log=True)] = 10.0
    iterations: Annotated[int, Field(ge=1), Tune(5, 40)] = 15


@baselines.register("biased_mf")
class BiasedMF(Factors):
    """Predicts a rating as mu + b_u + b_i + p_u · q_i, by least squares on the ratings that there are.

    Source: Koren, Bell and Volinsky, "Matrix Factorization Techniques for Recommender Systems" (Computer 42(8), 2009),
    equations 4 and 5, solved by their alternating least squares, with one weight per user and item (a Gaussian prior).
    """

    config: BiasedMFConfig

    def learn(self, matrix: sparse.csr_array, seed: int) -> None:
        log = self._log
        if not log.has_ratings:
            raise InputError(
                "biased_mf predicts ratings, and these interactions have none; leave it out of `baselines`, or take "
                "als, which needs no ratings"
            )
        rated = log.select(np.isfinite(log.rating))
        self.n_learnt = np.diff(matrix.indptr).astype(np.int64)
        residual = rated.rating.astype(np.float64)
        mean = float(residual.mean())
        by_user = sparse.csr_array((residual - mean, rated.item, rated.offsets()), shape=matrix.shape)
        by_item = by_user.T.tocsr()
        f = self.config.factors
        # A user's bias and the item's share one column each: (b_u, 1, p_u) · (1, b_i, q_i) = b_u + b_i + p_u · q_i.
        users, items = np.zeros((log.n_users, f + 2)), np.zeros((log.n_items, f + 2))
        users[:, 1], items[:, 0] = 1.0, 1.0
        items[:, 2:] = generator(seed, "baseline", "biased_mf").normal(0, 0.1, (log.n_items, f))
        items[np.diff(by_item.indptr) == 0, 2:] = 0.0
        with threadpool_limits(1, "blas"):  # the systems are small: more threads only wait for each other
            for _ in range(self.config.iterations):
                _solve(users, items, by_user, 1, self.config.regularization)
                _solve(items, users, by_item, 0, self.config.regularization)
        items[:, 1] += mean
        self.user_vectors, self.item_vectors = users, items

    def ratings(self, candidates: Candidates) -> FloatArray:
        """mu + b_u + b_i + p_u · q_i, cut to 1 to 5; mu + b_i for a query without history.

        Raises:
            LeakageError: the model was fitted on what a user had only after the query.
        """
        offsets = self._log.offsets()
        predicted = np.empty(candidates.items.shape)
        for row, (query, items) in enumerate(zip(candidates.queries, candidates.items, strict=True)):
            known = history(self._log, offsets, query)
            predicted[row] = self.affinity(query, known, items) if len(known) else self.item_vectors[items, 1]
        return np.clip(predicted, RATINGS[0], RATINGS[-1])


def _solve(mine: FloatArray, theirs: FloatArray, ratings: sparse.csr_array, fixed: int, regularization: float) -> None:
    """Each row of `mine` that has ratings becomes the ridge regression of its ratings on the rows of `theirs`.

    Args:
        mine: float64 (n, f + 2), overwritten but for column `fixed`, which is 1.
        theirs: float64 (m, f + 2).
        ratings: (n, m), ratings less their mean.
        fixed: the column that multiplies the other side's bias.
        regularization: weight of the squared norm of a row.
    """
    free = np.delete(np.arange(mine.shape[1]), fixed)
    penalty = regularization * np.eye(len(free))
    for row in np.flatnonzero(np.diff(ratings.indptr)).tolist():
        entries = slice(ratings.indptr[row], ratings.indptr[row + 1])
        others = theirs[ratings.indices[entries]]
        known, target = others[:, free], ratings.data[entries] - others[:, fixed]
        mine[row, free] = np.linalg.solve(known.T @ known + penalty, known.T @ target)
