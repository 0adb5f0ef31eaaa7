"""Mean reciprocal rank."""

from __future__ import annotations

from r2rec_bench.core.types import FloatArray
from r2rec_bench.evaluation.metrics.base import Answered, Metric, metrics


@metrics.register("mrr")
class ReciprocalRank(Metric):
    """1 / rank of the positive among all candidates, in (0, 1]; column `mrr`, whose mean is the MRR."""

    def per_user(self, answered: Answered) -> dict[str, FloatArray]:
        return {"mrr": 1 / answered.rank}
