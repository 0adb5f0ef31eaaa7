"""A hand-made world. User 0 asks about item 5 after items 0, 1 and 2; how many ways lead there differs by peer."""

import numpy as np
import pytest

from r2rec_bench.core.types import InteractionLog, Query, Visibility
from r2rec_bench.graph import InteractionGraph, VisibleGraph

USERS = (
    [(0, 5), (1, 3), (2, np.nan), (4, 1)],
    [(0, 5), (1, 1), (2, 4), (5, 4)],
    [(0, 3), (5, 2), (1, 2), (3, 4)],
    [(3, 4), (2, 5), (5, 5)],
    [(3, 1), (0, 2), (4, 3), (6, 3)],
    [(6, 2), (4, 2), (1, 2), (5, np.nan)],
)
"""Per user (item, rating), a day apart."""


@pytest.fixture
def log() -> InteractionLog:
    rows = [(user, item, rating, 86_400 * k) for user, own in enumerate(USERS) for k, (item, rating) in enumerate(own)]
    user, item, rating, time = zip(*rows, strict=True)
    return InteractionLog(
        np.array(user, np.int32),
        np.array(item, np.int32),
        np.array(rating, np.float32),
        np.array(time, np.int64),
        tuple(f"u{k}" for k in range(len(USERS))),
        tuple(f"i{k}" for k in range(7)),
    )


@pytest.fixture
def visible(log) -> VisibleGraph:
    return InteractionGraph(log, Visibility.FOLD).visible(Query(0, 3 * 86_400, 3))
