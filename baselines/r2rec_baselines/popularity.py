"""The floor of every table: what most people did."""

from __future__ import annotations

import numpy as np

from r2rec_bench.core.types import Candidates, FloatArray, Int64Array, InteractionLog
from r2rec_bench.evaluation.base import Baseline, baselines


def interaction_counts(log: InteractionLog) -> Int64Array:
    """Interactions per item, int64 (items,)."""
    return np.bincount(log.item, minlength=log.n_items)


@baselines.register("popularity")
class Popularity(Baseline):
    """Items by their number of interactions, the same for everybody.

    Source: MostPop, e.g. Cremonesi, Koren and Turrin (RecSys 2010), section 3.1.
    """

    def fit(self, log: InteractionLog, seed: int) -> None:
        self._counts = interaction_counts(log)

    def score(self, candidates: Candidates) -> FloatArray:
        return self._counts[candidates.items].astype(np.float64)
