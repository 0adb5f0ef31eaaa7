"""Does the place of a candidate in a list decide whether it is chosen?"""

from __future__ import annotations

import numpy as np

from r2rec_bench.core.types import BoolArray, Choices, FloatArray
from r2rec_bench.evaluation.metrics.base import Answered, Metric, metrics

_COLUMNS = ("list_valid", "list_place", "list_place_tv", "list_consistency")


@metrics.register("position_bias")
class PositionBias(Metric):
    """How a model that sees all candidates at once chooses by place; NaN for every other system.

    - `list_valid`: share of the orders of a list with a valid answer, 0 to 1. The other columns are about these.
    - `list_place`: mean place of the choice, 0 the first to 1 the last. Each order is random, so that without bias
      users' mean is 0.5 in expectation: below, earlier places are preferred.
    - `list_place_tv`: total-variation distance of the choice by place, added up over the orders, from uniform, 0 to 1.
      Without bias it is 0 where there are as many orders as candidates; a model that is sure of its choice has
      1 - orders / candidates with fewer orders, so compare it at equal numbers of both alone.
    - `list_consistency`: share of the pairs of orders in which the same candidate is chosen (the first place's where
      several are), 0 to 1. Without bias it is 1; a choice by place alone has 0 with at most as many orders as
      candidates.

    Source: LLMRank, Hou et al. (arXiv 2305.08845), section 3.3, on position bias; these figures are this project's.
    """

    higher_is_better = None

    def per_user(self, answered: Answered) -> dict[str, FloatArray]:
        choices = answered.ranking.choices
        if choices is None:
            return {name: np.full(len(answered.candidates), np.nan) for name in _COLUMNS}
        valid = ~np.isnan(choices.share[:, :, 0])
        by_place = _mean(choices.share, valid)
        c = by_place.shape[1]
        figures = (
            valid.mean(axis=1),
            by_place @ np.linspace(0, 1, c),
            np.abs(by_place - 1 / c).sum(axis=1) / 2,
            _consistency(choices, valid),
        )
        return dict(zip(_COLUMNS, figures, strict=True))


def _mean(share: FloatArray, valid: BoolArray) -> FloatArray:
    """Share of the choice by place over the valid orders, float64 (q, c); NaN where there are none."""
    total = np.where(valid[:, :, None], share, 0).sum(axis=1)
    n = valid.sum(axis=1)[:, None]
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)


def _consistency(choices: Choices, valid: BoolArray) -> FloatArray:
    """Share of the pairs of valid orders with the same choice, float64 (q,); NaN where there is no pair."""
    place = np.where(valid[:, :, None], choices.share, 0).argmax(axis=2)
    chosen = np.take_along_axis(choices.order, place[:, :, None], axis=2)[:, :, 0]
    votes = ((chosen[:, :, None] == np.arange(choices.order.shape[2])) & valid[:, :, None]).sum(axis=1)
    n = valid.sum(axis=1)
    pairs = n * (n - 1)
    return np.where(pairs > 0, (votes * (votes - 1)).sum(axis=1) / np.maximum(pairs, 1), np.nan)
