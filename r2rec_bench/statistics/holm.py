"""Correction for asking many questions at once."""

from __future__ import annotations

import numpy as np

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.types import FloatArray


def holm(p_values: FloatArray) -> FloatArray:
    """Adjusted p-values of a family of comparisons, float64 (m,), in the order given.

    Rejecting those at most α keeps the chance of any false rejection at most α, however the tests depend on each other.

    Args:
        p_values: float64 (m,), each in [0, 1].

    Raises:
        InputError: a p-value is NaN or outside [0, 1].

    Source: Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6(2), 1979.
    """
    if not ((p_values >= 0) & (p_values <= 1)).all():
        raise InputError(f"p-values must lie in [0, 1]; got {p_values.tolist()}")
    order = np.argsort(p_values)
    remaining = np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * remaining), 1.0)
    return adjusted
