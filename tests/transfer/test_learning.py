"""What a carried model learns from: equal parts of several sources, and users who are never asked about."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.types import Candidates, InteractionLog, Query
from r2rec_bench.transfer.learning import mixed, shot_users


def test_parts_are_equal_and_together_as_many_as_the_smallest_source_has():
    first, second = [f"a{k}" for k in range(10)], [f"b{k}" for k in range(7)]
    got = mixed([first, second], seed=0)
    assert sorted(got) == ["a0", "a1", "a2", "a3", "b0", "b1", "b2"]
    assert got != sorted(got)
    assert got == mixed([first, second], seed=0) != mixed([first, second], seed=1)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=5), st.integers(0, 9))
def test_no_source_has_more_than_one_trace_more_than_another(sizes, seed):
    got = mixed([[(source, k) for k in range(size)] for source, size in enumerate(sizes)], seed)
    counts = np.bincount([source for source, _ in got], minlength=len(sizes))
    assert len(got) == len(set(got)) == min(sizes)
    assert counts.max() - counts.min() <= 1


def log_of(lengths: list[int]) -> InteractionLog:
    user = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
    item = np.concatenate([np.arange(length, dtype=np.int32) for length in lengths])
    n = len(user)
    ids = tuple(map(str, range(len(lengths))))
    return InteractionLog(user, item, np.ones(n, np.float32), np.arange(n), ids, tuple(map(str, range(6))))


def lists(*users: int) -> Candidates:
    none = np.zeros((len(users), 2), np.int32)
    return Candidates(tuple(Query(user, 0, 1) for user in users), none, none[:, 0], none[:, 0].astype(np.float32), "")


def test_users_with_a_list_without_a_history_or_with_every_item_are_not_learnt_from():
    log = log_of([3, 3, 1, 6, 2, 0, 4])  # 2 and 5 have too little, 3 has touched all
    assert shot_users(log, lists(1), 3, seed=0).tolist() == [0, 4, 6]


def test_too_few_users_are_an_error_that_counts_them():
    with pytest.raises(InputError, match=r"3 users to learn from, but 2 have two visible interactions .* among the 2"):
        shot_users(log_of([3, 3, 2, 2]), lists(0, 2), 3, seed=0)


@given(st.sets(st.integers(0, 29), min_size=1, max_size=15), st.integers(0, 5), st.integers(1, 14))
def test_more_users_include_fewer_and_none_is_asked_about(asked, seed, n):
    log = log_of([3] * 30)
    fewer, more = (set(shot_users(log, lists(*asked), count, seed).tolist()) for count in (n, n + 1))
    assert fewer < more
    assert not more & asked
