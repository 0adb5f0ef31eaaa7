"""Normalised discounted cumulative gain for one relevant item."""

from __future__ import annotations

import numpy as np

from r2rec_bench.core.config import Config
from r2rec_bench.core.types import FloatArray, Int64Array
from r2rec_bench.evaluation.metrics.base import Answered, Cutoffs, Metric, metrics


class NDCGConfig(Config):
    """The cutoffs k."""

    at: Cutoffs = (3, 5, 10)
    """How many of the best candidates count; each gives a column."""


@metrics.register("ndcg")
class NDCG(Metric):
    """1 / log2(1 + rank) where the positive ranks among the first k candidates, else 0; columns `ndcg@k`.

    With one relevant item the ideal gain is 1, so this is already normalised.

    Source: Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM TOIS 20(4), 2002.
    """

    config: NDCGConfig

    def per_user(self, answered: Answered) -> dict[str, FloatArray]:
        rank = answered.rank
        return {f"ndcg@{k}": gain(rank, k) for k in self.config.at}


def gain(rank: Int64Array, k: int) -> FloatArray:
    """NDCG@k of one relevant item by its rank, 1 = best, float64 (q,)."""
    return np.where(rank <= k, 1 / np.log2(1 + rank), 0.0)
