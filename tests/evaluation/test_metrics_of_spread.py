"""What is recommended over all users: order, popularity, coverage and Gini, by hand and by brute force."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from r2rec_bench.core.types import Candidates, Cost, Query, Ranking
from r2rec_bench.evaluation.metrics.base import Answered, order, ranks, recommended
from r2rec_bench.evaluation.metrics.popularity import Popularity, PopularityConfig
from r2rec_bench.evaluation.results import UserTable
from r2rec_bench.evaluation.spread import coverage, gini

NAN = math.nan


def lists(items, positive) -> Candidates:
    items = np.asarray(items, np.int32)
    q = len(items)
    return Candidates(
        tuple(Query(user, 0, 0) for user in range(q)),
        items,
        np.asarray(positive, np.int32),
        np.full(q, NAN, np.float32),
        "",
    )


def ranking(scores) -> Ranking:
    scores = np.asarray(scores, np.float64)
    return Ranking(scores, scores, ~np.isnan(scores), Cost())


def table(*top: str, offered: int) -> UserTable:
    """One user per word; each letter is an item, the best first."""
    n = len(top)
    ones = np.ones(n, np.int64)
    return UserTable(
        tuple(f"u{k}" for k in range(n)), ("i",) * n, ones, ones, ones, np.zeros(n), tuple(map(tuple, top)), offered, {}
    )


def by_pairs(counts: list[int]) -> float:
    """Gini as half the relative mean absolute difference over all pairs."""
    x = np.array(counts, np.float64)
    return np.abs(x[:, None] - x).mean() / (2 * x.mean())


@settings(max_examples=50)
@given(arrays(np.float64, (4, 5), elements=st.sampled_from([0.0, 1.0, 2.0, NAN])), st.data())
def test_the_order_is_the_one_that_ranks_come_from(scores, data):
    positive = data.draw(st.lists(st.integers(0, 4), min_size=4, max_size=4))
    candidates = lists(np.arange(20).reshape(4, 5), positive)
    columns = order(ranking(scores), candidates)
    assert np.sort(columns, axis=1).tolist() == [[0, 1, 2, 3, 4]] * 4
    place = (columns == candidates.positive[:, None]).argmax(axis=1)
    assert (place + 1).tolist() == ranks(ranking(scores), candidates).tolist()
    ordered = np.take_along_axis(np.where(np.isnan(scores), -np.inf, scores), columns, axis=1)
    assert (ordered[:, :-1] >= ordered[:, 1:]).all()


def test_what_has_no_valid_answer_is_not_recommended():
    candidates = lists([[4, 5, 6], [4, 5, 6], [4, 5, 6]], [0, 0, 0])
    scores = ranking([[NAN, 1, 2], [NAN, NAN, NAN], [1, 3, 2]])
    found = recommended(Answered(scores, candidates, np.zeros(7, int), np.zeros(3, int)), tuple("abcdefg"), 3)
    assert found == (("g", "f"), (), ("f", "g", "e"))


def test_popularity_by_hand():
    candidates = lists([[0, 1, 2], [2, 1, 0], [0, 1, 2]], [0, 0, 0])
    scores = ranking([[3, 2, 1], [3, 2, 1], [NAN, NAN, NAN]])
    about = Answered(scores, candidates, np.array([10, 4, 1]), np.zeros(3, int))
    found = Popularity(PopularityConfig(at=(1, 2, 20))).per_user(about)
    assert found["popularity@1"] == pytest.approx([10, 1, NAN], nan_ok=True)
    assert found["popularity@2"] == pytest.approx([7, 2.5, NAN], nan_ok=True)
    assert found["popularity@20"] == pytest.approx([5, 5, NAN], nan_ok=True)  # of what was offered


def test_coverage_and_gini_by_hand():
    users = table("ab", "ac", "ad", offered=5)
    assert coverage(users, 1).value == 1 / 5
    assert coverage(users, 1).without_each.tolist() == [1 / 5] * 3
    assert coverage(users, 2).value == 4 / 5
    assert coverage(users, 2).without_each.tolist() == [3 / 5] * 3
    # Recommended 3, 1, 1, 1 and 0 times.
    assert gini(users, 2).value == pytest.approx(by_pairs([3, 1, 1, 1, 0]))
    assert gini(users, 2).value == pytest.approx(0.4)
    assert gini(users, 1).value == pytest.approx(1 - 1 / 5)  # all on one of five


def test_all_that_is_offered_recommended_equally():
    users = table("a", "b", "c", "d", offered=4)
    assert coverage(users, 1).value == 1
    assert gini(users, 1).value == 0


def test_nothing_recommended_is_missing_not_zero():
    users = table("", "", offered=4)
    assert math.isnan(coverage(users, 1).value)
    assert math.isnan(gini(users, 1).value)


@settings(max_examples=50)
@given(
    st.lists(st.lists(st.sampled_from("abcdef"), max_size=4, unique=True), min_size=1, max_size=8),
    st.integers(6, 9),
    st.integers(1, 4),
)
def test_against_brute_force(top, offered, k):
    def counts(words):
        times = [sum(letter in word[:k] for word in words) for letter in "abcdef"]
        return times + [0] * (offered - 6)

    users = table(*("".join(word) for word in top), offered=offered)
    spread, share = gini(users, k), coverage(users, k)
    for left_out in [None, *range(len(top))]:
        rest = counts([word for place, word in enumerate(top) if place != left_out])
        found_gini = spread.value if left_out is None else spread.without_each[left_out]
        found_share = share.value if left_out is None else share.without_each[left_out]
        if any(rest):
            assert found_gini == pytest.approx(by_pairs(rest))
            assert 0 <= found_gini < 1
            assert found_share == pytest.approx(np.count_nonzero(rest) / offered)
        else:
            assert math.isnan(found_gini)
