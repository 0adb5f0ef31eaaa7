"""How popular is what is recommended?"""

from __future__ import annotations

import numpy as np

from r2rec_bench.core.config import Config
from r2rec_bench.core.types import FloatArray, Int64Array
from r2rec_bench.evaluation.metrics.base import Answered, Cutoffs, Metric, best, metrics


class PopularityConfig(Config):
    """The cutoffs k."""

    at: Cutoffs = (1, 5)
    """How many of the best candidates count; each gives a column."""


@metrics.register("popularity")
class Popularity(Metric):
    """Mean visible interactions of the first k candidates, 0 upwards; columns `popularity@k`.

    Neither end is good: what users take has a popularity of its own to compare with. NaN for a user without any valid
    answer; at k = the length of the lists it is the popularity of what was offered.

    Source: average recommendation popularity, Yin et al., "Challenging the long tail recommendation", PVLDB 5(9), 2012.
    """

    config: PopularityConfig
    higher_is_better = None

    def per_user(self, answered: Answered) -> dict[str, FloatArray]:
        items, scored = best(answered, max(self.config.at))
        seen = np.where(scored, answered.item_seen[items], 0)
        return {f"popularity@{k}": _mean(seen[:, :k].sum(axis=1), scored[:, :k].sum(axis=1)) for k in self.config.at}


def _mean(total: Int64Array, n: Int64Array) -> FloatArray:
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)
