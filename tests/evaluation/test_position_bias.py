"""What the place in a list does to the choice, measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from r2rec_bench.core.types import Choices, Cost, Ranking
from tests.evaluation.scripted import figures


def of_choices(order: list[list[int]], share: list[list[float]]) -> Ranking:
    values = np.zeros((1, len(order[0])))
    choices = Choices(np.array([order], np.int32), np.array([share]))
    return Ranking(values, values, values == 0, Cost(), choices=choices)


def test_position_bias_by_hand():
    turned = [[0, 1, 2], [1, 2, 0], [2, 0, 1]]
    by_place = of_choices(turned, [[1, 0, 0]] * 3)
    assert figures(by_place) == pytest.approx(
        {"list_valid": 1, "list_place": 0, "list_place_tv": 2 / 3, "list_consistency": 0}
    )
    by_candidate = of_choices(turned, [[1, 0, 0], [0, 0, 1], [0, 1, 0]])
    assert figures(by_candidate) == pytest.approx(
        {"list_valid": 1, "list_place": 0.5, "list_place_tv": 0, "list_consistency": 1}
    )
    mixed = of_choices(turned, [[0.5, 0.25, 0.25], [0, 0.2, 0.8], [np.nan] * 3])
    # By place .25, .225, .525; candidate 0 is chosen by both.
    assert figures(mixed) == pytest.approx(
        {"list_valid": 2 / 3, "list_place": 0.6375, "list_place_tv": 0.525 - 1 / 3, "list_consistency": 1}
    )


def test_position_bias_is_unknown_without_an_answer_a_second_order_or_a_list():
    nothing = figures(of_choices([[0, 1]], [[np.nan, np.nan]]))
    assert nothing.pop("list_valid") == 0
    assert np.isnan(list(nothing.values())).all()
    assert np.isnan(figures(of_choices([[0, 1]], [[1, 0]]))["list_consistency"])
    assert np.isnan(list(figures(replace(of_choices([[0, 1]], [[1, 0]]), choices=None)).values())).all()
