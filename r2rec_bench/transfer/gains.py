"""What training gained over the untrained model: how much, whether more than chance, and how much of it was carried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from r2rec_bench.core.seeds import generator
from r2rec_bench.core.types import FloatArray
from r2rec_bench.report.comparisons import METRIC, differences
from r2rec_bench.report.study import Row
from r2rec_bench.report.tried import Tried
from r2rec_bench.report.values import LEVEL
from r2rec_bench.statistics.holm import holm
from r2rec_bench.statistics.paired import compare
from r2rec_bench.statistics.share import Share, share
from r2rec_bench.transfer.cells import Cell, Way


@dataclass(frozen=True, slots=True)
class Gain:
    """What a trained model has over the untrained one, in HR@1 of the same users on the same lists.

    Attributes:
        share: the gain, and how much it is of the in-domain gain: (carried - untrained) / (in-domain - untrained).
        p_value: two-sided, of no gain and no loss.
        adjusted: the same after Holm over all trained models of the study.
    """

    share: Share
    p_value: float
    adjusted: float


def gains(done: Sequence[Tried[Cell]]) -> Mapping[Cell, Gain]:
    """Of each trained model that has a result, as have the untrained and the in-domain model of its target.

    Raises:
        InputError: cells of one column were not asked the same.
    """
    rows = {one.cell: one.row for one in done if one.row is not None}
    known = {(cell.target, cell.way): row for cell, row in rows.items()}
    found: dict[Cell, tuple[Share, float]] = {}
    for cell, row in rows.items():
        untrained, whole = (known.get((cell.target, way)) for way in (Way.UNTRAINED, Way.IN_DOMAIN))
        if untrained is not None and whole is not None and (cell.carried or cell.way is Way.IN_DOMAIN):
            found[cell] = _gain(row, whole, untrained)
    adjusted = holm(np.array([p_value for _, p_value in found.values()]))
    return {
        cell: Gain(part, p_value, float(p)) for (cell, (part, p_value)), p in zip(found.items(), adjusted, strict=True)
    }


def _gain(row: Row, whole: Row, untrained: Row) -> tuple[Share, float]:
    """The gain as a share, and its p-value."""
    part, all_ = (_over(one, untrained) for one in (row, whole))
    ids = untrained.result.run_id, whole.result.run_id
    # The same resamples for all cells of a column, so that they have one in-domain gain, with one interval.
    resamples = generator(whole.result.seed, "share", *ids)
    signs = generator(whole.result.seed, "gain", *ids, row.result.run_id)
    return share(part, all_, resamples, level=LEVEL), compare(part, signs, level=LEVEL).p_value


def _over(row: Row, untrained: Row) -> FloatArray:
    """What a model has more, by user, as the untrained model's first run orders them, and seed, float64 (q, s)."""
    return -differences(untrained, row, METRIC)
