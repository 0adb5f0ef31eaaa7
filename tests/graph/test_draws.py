"""Chains drawn without a list: the same chains as in the list, and each as likely as any other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from r2rec_bench.core.types import InteractionLog, Query, Visibility
from r2rec_bench.graph import InteractionGraph, VisibleGraph
from r2rec_bench.graph.draws import draw_by, draw_many, logs_are_shorter
from r2rec_bench.graph.rows import NO_LIMIT, Rows, View, rows_of

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


def rows_drawn(logs: bool, rows: Rows, view: View, n: int, seed: int, *, forward: bool) -> list[list[int]]:
    out = np.empty((n, 3), np.int64)
    return out[: draw_by(logs, rows, view, TARGET, forward, seed, out)].tolist()


@given(
    st.lists(st.lists(st.integers(0, 5), min_size=1, unique=True), min_size=2, max_size=12),
    st.booleans(),
    st.integers(1, 20),
    st.sampled_from([NO_LIMIT, 0, 2]),
)
@settings(max_examples=60)
def test_from_people_and_from_logs_the_same_chains_are_drawn(users, forward, n, limit):
    rows = rows_of(log_of(users))
    view = View(0, min(3, len(users[0])), limit)
    assert rows_drawn(True, rows, view, n, 7, forward=forward) == rows_drawn(False, rows, view, n, 7, forward=forward)


@pytest.mark.parametrize("forward", [True, False])
def test_a_crowd_is_sifted_in_many_blocks_in_either_way(forward):
    rng = np.random.default_rng(4)
    # Every log of 600 items is longer than two blocks, and so are the people of an item.
    rows = rows_of(log_of([rng.permutation(700)[:600].tolist() for _ in range(700)]))
    view = View(0, 500, NO_LIMIT)
    drawn = rows_drawn(True, rows, view, 64, 7, forward=forward)
    assert len(drawn) == 64
    assert rows_drawn(False, rows, view, 64, 7, forward=forward) == drawn


def test_the_shorter_way_is_taken_and_questions_do_not_disturb_each_other():
    # Item 0 has two people of short logs, item 1 has hundreds; the same questions in another order, and one by one.
    rows = rows_of(log_of([[1, 2, 0], [2, 1, 0], *[[1, 2]] * 500]))
    views = [View(0, 2, NO_LIMIT), View(5, 1, NO_LIMIT), View(0, 2, NO_LIMIT), View(1, 2, NO_LIMIT)]
    targets = np.array([0, 2, 1, 0], np.int32)
    assert [logs_are_shorter(rows, view, target) for view, target in zip(views, targets, strict=True)] == [
        True,
        False,
        False,
        True,
    ]
    seeds = np.arange(4)
    together = np.zeros((4, 8, 3), np.int64)
    drawn = draw_many(rows, np.array(views), targets, False, seeds, together)
    for order in ([2, 0, 3, 1], [0], [1], [2], [3]):
        out = np.zeros((len(order), 8, 3), np.int64)
        assert (draw_many(rows, np.array(views)[order], targets[order], False, seeds[order], out) == drawn[order]).all()
        assert (out == together[order]).all()
    assert drawn.tolist() == [2, 8, 8, 2]
