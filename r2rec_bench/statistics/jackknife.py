"""How far a number about all users together might have come out otherwise, where resampling would not do."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from r2rec_bench.core.types import FloatArray
from r2rec_bench.statistics.bootstrap import Interval


def jackknife_interval(value: float, without_each: FloatArray, *, level: float = 0.95) -> Interval:
    """Normal interval with the jackknife's standard error.

    For counts of distinct things: a resample repeats users, and so holds fewer distinct things than any sample. The
    jackknife's variance is too large, if anything, so the interval is on the safe side.

    Args:
        value: the number, over all users.
        without_each: the same without each of them, float64 (n,).
        level: coverage, in (0, 1).

    Source: Efron and Stein, "The jackknife estimate of variance", Annals of Statistics 9(3), 1981.
    """
    known = without_each[~np.isnan(without_each)]
    n, missing = len(known), len(without_each) - len(known)
    if n < 2 or math.isnan(value):
        return Interval(value, math.nan, math.nan, n, missing)
    error = math.sqrt((n - 1) * float(known.var()))
    reach = NormalDist().inv_cdf((1 + level) / 2) * error
    return Interval(value, value - reach, value + reach, n, missing)
