"""The k-core of a log: what is left when users and items with too few interactions are taken out until none has."""

from __future__ import annotations

import numpy as np

from r2rec_bench.core.types import BoolArray, Int32Array


def k_core(user: Int32Array, item: Int32Array, k: int) -> BoolArray:
    """The largest set of interactions in which every user and every item has at least `k`.

    Taking out users changes what items have left, so both are done in turn until nothing changes; the result does not
    depend on the order.

    Args:
        user: codes from 0, int32 (n,).
        item: codes from 0, int32 (n,).
        k: fewest interactions; 1 and less keep everything.

    Returns:
        Which interactions stay, bool (n,).

    Source: Seidman, "Network structure and minimum degree" (1983), for the bipartite graph as in the Amazon releases.
    """
    rows = np.arange(len(user))
    while k > 1:
        few = (np.bincount(user[rows])[user[rows]] < k) | (np.bincount(item[rows])[item[rows]] < k)
        if not few.any():
            break
        rows = rows[~few]
    kept = np.zeros(len(user), dtype=np.bool_)
    kept[rows] = True
    return kept
