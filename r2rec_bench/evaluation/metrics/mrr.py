"""Mean reciprocal rank."""

from __future__ import annotations

from r2rec_bench.core.types import Candidates, FloatArray, Ranking
from r2rec_bench.evaluation.metrics.base import Metric, metrics, ranks


@metrics.register("mrr")
class ReciprocalRank(Metric):
    """1 / rank of the positive among all candidates, in (0, 1]; column `mrr`, whose mean is the MRR."""

    def per_user(self, ranking: Ranking, candidates: Candidates) -> dict[str, FloatArray]:
        return {"mrr": 1 / ranks(ranking, candidates)}
