"""How popular is what is recommended?"""

from __future__ import annotations

import numpy as np

from r2rec_bench.core.config import Config
from r2rec_bench.core.types import FloatArray
from r2rec_bench.evaluation.metrics.base import Answered, Cutoffs, Metric, metrics, recommended


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
        return {f"popularity@{k}": self._at(k, answered) for k in self.config.at}

    def _at(self, k: int, answered: Answered) -> FloatArray:
        lists = recommended(answered.ranking, answered.candidates, k)
        return np.array([answered.item_seen[items].mean() if len(items) else np.nan for items in lists], np.float64)
