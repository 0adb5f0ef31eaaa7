import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from r2rec_baselines.user_knn import UserKNN, UserKNNConfig

from r2rec_bench.core.types import Candidates, InteractionLog, Query

FOUR_USERS = [[0, 1], [0, 1, 2], [1, 3, 2, 4], [4]]
# User 0 shares 0 and 1 with user 1, who had 3 items, and 1 with user 2, who had 4; nothing with user 3.


def fitted(log: InteractionLog, **chosen: float | None) -> UserKNN:
    model = UserKNN(UserKNNConfig(**chosen))
    model.fit(log, seed=0)
    return model


def test_scores_computed_by_hand(toy_log, asked):
    scores = fitted(toy_log(FOUR_USERS, n_items=5), k=None, shrinkage=0).score(asked([0], [[2, 3, 4, 0]]))
    one, two = 2 / np.sqrt(2 * 3), 1 / np.sqrt(2 * 4)
    # Item 2 was had by both, 3 and 4 by user 2 (and by user 3, a stranger); of item 0 the user does not speak.
    np.testing.assert_allclose(scores, [[one + two, two, two, one]], rtol=1e-12)


def test_shrinkage_is_added_to_both_counts(toy_log, asked):
    scores = fitted(toy_log(FOUR_USERS, n_items=5), k=None, shrinkage=10).score(asked([0], [[2, 3]]))
    one, two = 2 / np.sqrt(12 * 13), 1 / np.sqrt(12 * 14)
    np.testing.assert_allclose(scores, [[one + two, two]], rtol=1e-12)


def test_k_keeps_the_nearest_neighbours(toy_log, asked):
    log, candidates = toy_log(FOUR_USERS, n_items=5), asked([0], [[2, 3]])
    one, two = 2 / np.sqrt(2 * 3), 1 / np.sqrt(2 * 4)
    np.testing.assert_allclose(fitted(log, k=1, shrinkage=0).score(candidates), [[one, 0]], rtol=1e-12)
    np.testing.assert_allclose(fitted(log, k=2, shrinkage=0).score(candidates), [[one + two, two]], rtol=1e-12)


def test_neighbours_that_tie_with_the_last_one_stay(toy_log, asked):
    scores = fitted(toy_log([[0], [0, 1], [0, 2]], n_items=3), k=1, shrinkage=0).score(asked([0], [[1, 2]]))
    np.testing.assert_allclose(scores, [[1 / np.sqrt(2)] * 2], rtol=1e-12)


def test_only_what_came_before_the_query_counts_as_the_users_own(toy_log, asked):
    """After their first item, user 2 (who had item 1) is as near to user 0 as to user 1, but for their lengths."""
    model = fitted(toy_log(FOUR_USERS, n_items=5), k=None, shrinkage=0)
    scores = model.score(asked([2], [[0, 2]], position=1))
    np.testing.assert_allclose(scores, [[1 / np.sqrt(1 * 2) + 1 / np.sqrt(1 * 3), 1 / np.sqrt(1 * 3)]], rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 7), min_size=1, max_size=8, unique=True), min_size=2, max_size=9),
    st.sampled_from([1, 2, 3, 50, None]),
    st.sampled_from([0.0, 3.5]),
    st.integers(1, 8),
)
def test_scores_are_those_of_all_pairs_of_users(histories, k, shrinkage, position):
    user = np.repeat(np.arange(len(histories)), [len(items) for items in histories]).astype(np.int32)
    item = np.concatenate(histories).astype(np.int32)
    nothing = np.full(len(item), np.nan, dtype=np.float32)
    ids = tuple(map(str, range(len(histories)))), tuple("abcdefgh")
    log = InteractionLog(user, item, nothing, np.arange(len(item)), *ids)
    queries = tuple(Query(u, 10**9, position) for u in range(len(histories)))
    everything = np.tile(np.arange(8, dtype=np.int32), (len(histories), 1))
    zeros = np.zeros(len(histories), np.int32)
    candidates = Candidates(queries, everything, zeros, zeros.astype(np.float32), "")
    expected = np.array([_by_all_pairs(histories, u, position, k, shrinkage) for u in range(len(histories))])
    np.testing.assert_allclose(fitted(log, k=k, shrinkage=shrinkage).score(candidates), expected, rtol=1e-10)


def _by_all_pairs(histories: list[list[int]], u: int, position: int, k: int | None, shrinkage: float) -> list[float]:
    known = set(histories[u][:position])
    near = {
        v: len(known & set(items)) / np.sqrt((len(known) + shrinkage) * (len(items) + shrinkage))
        for v, items in enumerate(histories)
        if v != u
    }
    least = sorted(near.values(), reverse=True)[k - 1] if k is not None and k <= len(near) else 0.0
    return [sum(near[v] for v in near if near[v] >= least and i in histories[v]) for i in range(8)]


def test_a_log_that_goes_on_after_the_query_does_not_matter(toy_log, asked):
    """Nothing is learnt of a user, so what they did later can be in the log."""
    cut = fitted(toy_log([*FOUR_USERS[:3], []], n_items=5)).score(asked([0], [[2, 3, 4]], position=2))
    longer = [[*FOUR_USERS[0], 3], *FOUR_USERS[1:3], []]
    np.testing.assert_allclose(fitted(toy_log(longer, n_items=5)).score(asked([0], [[2, 3, 4]], position=2)), cut)


def test_defaults_can_be_built():
    assert UserKNN().config == UserKNNConfig(k=200, shrinkage=10)
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        UserKNNConfig(k=0)
