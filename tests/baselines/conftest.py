from collections.abc import Callable

import numpy as np
import pytest

from r2rec_bench.core.types import Candidates, InteractionLog, Query


@pytest.fixture
def toy_log() -> Callable[..., InteractionLog]:
    """A log from each user's items in order, over `n_items` items."""

    def make(histories: list[list[int]], n_items: int) -> InteractionLog:
        user = np.repeat(np.arange(len(histories)), [len(items) for items in histories]).astype(np.int32)
        item = np.array([item for items in histories for item in items], dtype=np.int32)
        time = np.arange(len(item), dtype=np.int64)
        rating = np.full(len(item), np.nan, dtype=np.float32)
        names = [tuple(f"{kind}{n}" for n in range(count)) for kind, count in (("u", len(histories)), ("i", n_items))]
        return InteractionLog(user, item, rating, time, *names)

    return make


@pytest.fixture
def asked() -> Callable[..., Candidates]:
    """Candidates of users, each asked after `position` interactions (all of them unless given)."""

    def make(users: list[int], items: list[list[int]], position: int = 1_000) -> Candidates:
        queries = tuple(Query(user, 10**9, position) for user in users)
        rating = np.full(len(users), np.nan, dtype=np.float32)
        return Candidates(queries, np.array(items, dtype=np.int32), np.zeros(len(users), dtype=np.int32), rating, "")

    return make


@pytest.fixture
def two_tastes(toy_log) -> InteractionLog:
    """40 users who have 8 items each from their own half of 30 items, and one, the last, who has none."""
    rng = np.random.default_rng(3)
    return toy_log([*[list(rng.choice(15, 8, replace=False) + 15 * (u % 2)) for u in range(40)], []], n_items=30)
