"""Models that are one vector per user and one per item: a score is their dot product."""

from __future__ import annotations

from r2rec_baselines.personal import Personal
from r2rec_bench.core.errors import LeakageError
from r2rec_bench.core.types import FloatArray, Int32Array, Int64Array, Query


class Factors(Personal):
    """A personalised baseline whose `learn` leaves vectors of users and of items.

    Attributes:
        user_vectors: float64 (users, f).
        item_vectors: float64 (items, f).
        n_learnt: int64 (users,), distinct items of each user in what was learnt from.
    """

    user_vectors: FloatArray
    item_vectors: FloatArray
    n_learnt: Int64Array

    def affinity(self, query: Query, known: Int32Array, items: Int32Array) -> FloatArray:
        """Scores of `items`, float64 (c,).

        Raises:
            LeakageError: the model was fitted on what the user had only after the query; vectors cannot forget it.
        """
        learnt = self.n_learnt[query.user]
        if learnt > len(known):
            raise LeakageError(
                f"{type(self).__name__} was fitted on {learnt} items of user index {query.user}, of which the query "
                f"sees the first {len(known)}; fit it on a log in which no user goes on after their query"
            )
        return self.item_vectors[items] @ self.user_vectors[query.user]
