"""Interaction logs as baselines read them: the user-item matrix, and what a query may know of its user."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from r2rec_bench.core.types import Int32Array, Int64Array, InteractionLog, Query

if TYPE_CHECKING:
    from scipy import sparse


def user_items(log: InteractionLog) -> sparse.csr_array:
    """Who interacted with what: float64 (users, items), 1 where there is an interaction, whatever its rating."""
    from scipy import sparse

    matrix = sparse.csr_array((np.ones(len(log)), (log.user, log.item)), shape=(log.n_users, log.n_items))
    matrix.data[:] = 1.0
    return matrix


def history(log: InteractionLog, offsets: Int64Array, query: Query) -> Int32Array:
    """The distinct items that the query's user had before the moment asked about, int32 (known,), ascending.

    Args:
        log: the log given to `fit`; the user's rows from `query.position` on are left out.
        offsets: `log.offsets()`, int64 (users + 1,).
        query: who is asked, when.
    """
    start, stop = offsets[query.user], offsets[query.user + 1]
    return np.unique(log.item[start : min(start + query.position, stop)])
