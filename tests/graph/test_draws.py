"""Chains drawn without a list: the same chains as in the list, and each as likely as any other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from r2rec_bench.core.types import InteractionLog, Query, Visibility
from r2rec_bench.graph import InteractionGraph, VisibleGraph

TARGET, ANCHORS = 0, (1, 2, 3)


def log_of(users: list[list[int]]) -> InteractionLog:
    """Each user's items in order, the n-th at second n."""
    flat = [(user, item, time) for user, items in enumerate(users) for time, item in enumerate(items)]
    user, item, time = (np.array(column) for column in zip(*flat, strict=True))
    ids = tuple(map(str, range(len(users)))), tuple(map(str, range(item.max() + 1)))
    return InteractionLog(
        user.astype(np.int32), item.astype(np.int32), np.ones(len(flat), np.float32), time.astype(np.int64), *ids
    )


def crowd(share_closing: float) -> VisibleGraph:
    """One user with three items that 700 others have each, and a target that 900 have."""
    rng = np.random.default_rng(3)
    closing = int(700 * share_closing)
    anchors = [[int(rng.choice(ANCHORS)), TARGET][:: rng.choice([1, -1])] for _ in range(closing)]
    others = [[item] for item in ANCHORS for _ in range(700 - closing // 3)] + [[TARGET]] * (900 - closing)
    log = log_of([[*ANCHORS, TARGET], *anchors, *others])
    return InteractionGraph(log, Visibility.FOLD).visible(Query(0, 4, 3))


def keys(chains) -> list[tuple[int, ...]]:
    return [(chain.anchor, *chain.peers, chain.end) for chain in chains]


@given(
    st.lists(st.lists(st.integers(0, 5), min_size=1, unique=True), min_size=2, max_size=12),
    st.booleans(),
    st.integers(1, 20),
    st.sampled_from(Visibility),
)
@settings(max_examples=60)
def test_they_are_chains_of_the_list_each_once_and_all_where_there_are_fewer(users, forward, n, visibility):
    log = log_of(users)
    visible = InteractionGraph(log, visibility).visible(Query(0, 3, min(3, len(users[0]))))
    for target in range(log.n_items):
        closures = visible.closures(target, forward=forward)
        listed = {closures.chain(k) for k in range(len(closures))}
        drawn = visible.draw(target, n, np.random.default_rng(0), forward=forward)
        assert len(set(drawn)) == len(drawn) == min(n, len(listed))
        assert set(drawn) <= listed


@pytest.mark.parametrize(
    ("share", "n"),
    [
        pytest.param(0.9, 1, id="most pairs close"),
        pytest.param(0.02, 1, id="few close"),
        pytest.param(0.1, 40, id="many at once"),
    ],
)
@pytest.mark.parametrize("forward", [True, False])
def test_every_chain_is_as_likely_as_any_other(share, n, forward):
    visible = crowd(share)
    chains = len(visible.closures(TARGET, forward=forward))
    rng = np.random.default_rng(1)
    seen: dict[tuple[int, ...], int] = {}
    rounds = 20 * chains // min(n, chains)
    for _ in range(rounds):
        for key in keys(visible.draw(TARGET, n, rng, forward=forward)):
            seen[key] = seen.get(key, 0) + 1
    counts = [*seen.values(), *[0] * (chains - len(seen))]
    if chains <= n:
        assert set(counts) == {rounds}
    else:
        assert chisquare(counts).pvalue > 1e-3


def test_a_user_without_chains_gets_none():
    log = log_of([[1, 0], [2, 0], [3]])
    visible = InteractionGraph(log, Visibility.FOLD).visible(Query(0, 1, 1))
    assert visible.draw(0, 8, np.random.default_rng(0), forward=True) == []
    assert visible.draw(2, 8, np.random.default_rng(0), forward=False) == []
