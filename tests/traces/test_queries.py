import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.types import InteractionLog, Query
from r2rec_bench.traces.queries import UNRATED_TOUCH, QueriesConfig, draw_queries


def log_of(*users: list[int], n_items: int = 6, rating: float = 4.0) -> InteractionLog:
    """Each user's items in order; times are ten times the place."""
    rows = [(user, item, place) for user, items in enumerate(users) for place, item in enumerate(items)]
    columns = np.array(rows, np.int64).reshape(-1, 3).T
    ids = tuple(f"u{k}" for k in range(len(users))), tuple(f"i{k}" for k in range(n_items))
    ratings = np.full(len(rows), rating, np.float32)
    return InteractionLog(columns[0].astype(np.int32), columns[1].astype(np.int32), ratings, columns[2] * 10, *ids)


def test_questions_about_interactions_know_their_moment_and_their_rating(small_world):
    log = small_world.log
    start = log.offsets()
    for asked in draw_queries(log, QueriesConfig(n=500, touched=1.0), 1):
        row = start[asked.query.user] + asked.query.position
        assert row < start[asked.query.user + 1]
        assert asked.query.position >= 1
        assert (asked.target, asked.query.time, asked.answer) == (log.item[row], log.time[row], log.rating[row])


def test_untouched_items_are_touched_nowhere_in_the_log_and_answer_zero(small_world):
    log = small_world.log
    pairs = set(zip(log.user.tolist(), log.item.tolist(), strict=True))
    for asked in draw_queries(log, QueriesConfig(n=2_000, touched=0.4), 1):
        assert (asked.answer > 0) == ((asked.query.user, asked.target) in pairs)


def test_untouched_items_are_drawn_alike(small_world):
    log = log_of([0, 1])
    drawn = [q.target for q in draw_queries(log, QueriesConfig(n=8_000, touched=1e-9), 0)]
    counts = np.bincount(drawn, minlength=6)
    assert counts[:2].sum() == 0
    # Four items, 2,000 each; five standard deviations are 194.
    assert np.abs(counts[2:] - 2_000).max() < 194


@pytest.mark.parametrize("touched", [0.1, 0.35, 1.0])
def test_the_share_of_interactions_is_the_one_asked_for(small_world, touched):
    answers = [q.answer > 0 for q in draw_queries(small_world.log, QueriesConfig(n=4_000, touched=touched), 2)]
    assert np.mean(answers) == pytest.approx(touched, abs=0.04)


@pytest.mark.parametrize(("latest", "positions"), [(1, {4}), (2, {3, 4}), (99, {1, 2, 3, 4})])
def test_only_the_latest_interactions_are_asked_about_and_never_the_first(latest, positions):
    drawn = draw_queries(log_of([0, 1, 2, 3, 4]), QueriesConfig(n=200, touched=1.0, latest=latest), 0)
    assert {q.query.position for q in drawn} == positions
    assert all(q.query.time == 10 * q.query.position for q in drawn)


def test_users_with_one_interaction_or_without_any_item_left_are_never_asked():
    log = log_of([0], [1, 2], [0, 1, 2, 3, 4, 5], [3, 4], [])
    assert {q.query.user for q in draw_queries(log, QueriesConfig(n=200), 0)} == {1, 3}


@pytest.mark.parametrize("users", [[[0], [1], []], [[0, 1, 2, 3, 4, 5]]])
def test_a_fold_without_anything_to_ask_about_is_an_error(users):
    with pytest.raises(InputError, match=rf"none of the {len(users)} users has two interactions .* an item untouched"):
        draw_queries(log_of(*users), QueriesConfig(), 0)


def test_a_touch_without_a_rating_has_an_outcome_of_its_own():
    drawn = draw_queries(log_of([0, 1, 2], rating=math.nan), QueriesConfig(n=50, touched=0.5), 0)
    assert {(q.target < 3, q.answer) for q in drawn} == {(True, UNRATED_TOUCH), (False, 0)}


def test_where_ratings_are_no_answers_every_touch_is_the_same():
    log = log_of([0, 1, 2], [3, 4, 5], rating=2.0)
    config = QueriesConfig(n=50, touched=0.5)
    rated, asked = draw_queries(log, config, 0), draw_queries(log, config, 0, (0, UNRATED_TOUCH))
    assert {q.answer for q in rated} == {0, 2}
    assert [(q.query, q.target, q.answer == 0) for q in asked] == [(q.query, q.target, q.answer == 0) for q in rated]
    assert {q.answer for q in asked} == {0, UNRATED_TOUCH}


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32), n=st.integers(1, 50))
def test_a_seed_draws_the_same_questions_and_another_draws_others(small_world, seed, n):
    config = QueriesConfig(n=50 + n)
    first = draw_queries(small_world.log, config, seed)
    assert first == draw_queries(small_world.log, config, seed)
    assert len(first) == config.n
    assert first != draw_queries(small_world.log, config, seed + 1)


def test_a_query_is_made_of_plain_numbers(small_world):
    asked = draw_queries(small_world.log, QueriesConfig(n=1), 0)[0]
    assert [type(value) for value in (asked.query.user, asked.query.time, asked.target, asked.answer)] == [int] * 4
    assert isinstance(asked.query, Query)


def test_ratings_alone_cannot_be_asked_for_where_there_are_none():
    unrated = log_of([0, 1, 2], [1, 2], rating=math.nan)
    with pytest.raises(InputError, match=r"no ratings and queries.touched is 1, .* take the ranker rating_interaction"):
        draw_queries(unrated, QueriesConfig(n=10, touched=1.0), 0)
    assert draw_queries(unrated, QueriesConfig(n=10, touched=0.9), 0)
