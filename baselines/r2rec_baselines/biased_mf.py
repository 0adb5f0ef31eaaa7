"""Matrix factorisation of ratings with biases, by alternating least squares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field
from threadpoolctl import threadpool_limits

from r2rec_baselines.factors import Factors
from r2rec_baselines.interactions import history
from r2rec_bench.core.config import Config, Tune
from r2rec_bench.core.errors import InputError
from r2rec_bench.core.seeds import generator
from r2rec_bench.core.types import RATINGS, Candidates, FloatArray
from r2rec_bench.evaluation.base import baselines

if TYPE_CHECKING:
    from scipy import sparse


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

    It ranks by how much a user would like an item, not by whether they come to it, and so among unseen items worse than
    popularity: on MovieLens-1M HR@1 is 0.198 (run 6fc53be9d9d3) against 0.281 (run f8b617408ccd), both of
    reports/baselines-movielens-1m. It is here for its ratings.

    Source: Koren, Bell and Volinsky, "Matrix Factorization Techniques for Recommender Systems" (Computer 42(8), 2009),
    equations 4 and 5, solved by their alternating least squares, with one weight per user and item (a Gaussian prior).
    """

    config: BiasedMFConfig

    def learn(self, matrix: sparse.csr_array, seed: int) -> None:
        from scipy import sparse

        log = self._log
        if not log.has_ratings:
            raise InputError(
                "biased_mf predicts ratings, and these interactions have none; leave it out of `baselines`, or take "
                "als, which needs no ratings"
            )
        rated = log.select(np.isfinite(log.rating))
        given = rated.rating.astype(np.float64)
        mean = float(given.mean())
        by_user = sparse.csr_array((given - mean, rated.item, rated.offsets()), shape=matrix.shape)
        by_item = by_user.T.tocsr()
        # Biases in the first column: (b_u, p_u) and (b_i, q_i).
        items = np.zeros((log.n_items, 1 + self.config.factors))
        items[:, 1:] = generator(seed, "baseline", "biased_mf").normal(0, 0.1, (log.n_items, self.config.factors))
        items[np.diff(by_item.indptr) == 0] = 0.0
        users = np.zeros((log.n_users, 1 + self.config.factors))
        with threadpool_limits(1, "blas"):  # the systems are small: more threads only wait for each other
            for _ in range(self.config.iterations):
                users = _solved(by_user, items, self.config.regularization)
                items = _solved(by_item, users, self.config.regularization)
        items[:, 0] += mean
        # (b_u, 1, p_u) · (1, mu + b_i, q_i)
        self.user_vectors = np.insert(users, 1, 1.0, axis=1)
        self.item_vectors = np.insert(items, 0, 1.0, axis=1)
        self.n_learnt = np.diff(matrix.indptr).astype(np.int64)

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


def _solved(ratings: sparse.csr_array, theirs: FloatArray, regularization: float) -> FloatArray:
    """Each row's ridge regression of its ratings, less the others' biases, on (1, their factors).

    Args:
        ratings: float64 (n, m), ratings less their mean.
        theirs: float64 (m, 1 + f), bias and factors of the other side.
        regularization: weight of the squared norm of a row.

    Returns:
        Bias and factors, float64 (n, 1 + f); zeros where there are no ratings.
    """
    design = theirs.copy()
    design[:, 0] = 1.0
    counts = np.diff(ratings.indptr)
    target = ratings.data - theirs[ratings.indices, 0]
    penalty = regularization * np.eye(theirs.shape[1])
    solved = np.zeros((len(counts), theirs.shape[1]))
    for row in np.flatnonzero(counts).tolist():
        entries = slice(ratings.indptr[row], ratings.indptr[row + 1])
        known = design[ratings.indices[entries]]
        solved[row] = np.linalg.solve(known.T @ known + penalty, known.T @ target[entries])
    return solved
