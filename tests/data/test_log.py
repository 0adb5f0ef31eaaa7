import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from r2rec_bench.core.errors import InputError
from r2rec_bench.data.log import LATEST_TIME, MOVED, REPEATED, RawLog, build_log


def rows_of(log):
    return [
        (log.user_ids[u], log.item_ids[i], float(r), int(t))
        for u, i, r, t in zip(log.user, log.item, log.rating, log.time, strict=True)
    ]


def test_rows_are_sorted_by_user_then_time_then_file_order(raw_log):
    log, counts = build_log(raw_log([("b", "x", 1, 5), ("a", "z", 2, 9), ("a", "y", 3, 9), ("a", "x", 4, 1)]))
    assert rows_of(log) == [("a", "x", 4, 1), ("a", "z", 2, 9), ("a", "y", 3, 9), ("b", "x", 1, 5)]
    assert counts == {}


def test_ids_are_in_natural_order(raw_log):
    ids = ["10", "9", "b", "B0", "01", "1", "é"]
    log, _ = build_log(raw_log([(name, name, 3, 1) for name in ids]))
    assert log.user_ids == log.item_ids == ("01", "1", "9", "10", "B0", "b", "é")


def test_the_given_order_wins_over_the_clock_which_then_never_runs_backwards(raw_log):
    rows = [("u", "late", 1, 50), ("u", "early", 2, 90), ("v", "late", 3, 10)]
    log, counts = build_log(raw_log(rows, order=[1, 0, 0]))
    assert rows_of(log) == [("u", "early", 2, 90), ("u", "late", 1, 90), ("v", "late", 3, 10)]
    assert counts == {MOVED: 1}


def test_a_repeated_pair_keeps_its_first_interaction_in_time(raw_log):
    log, counts = build_log(raw_log([("u", "x", 1, 9), ("u", "x", 5, 3), ("v", "x", 2, 9), ("u", "x", 4, 3)]))
    assert rows_of(log) == [("u", "x", 5, 3), ("v", "x", 2, 9)]
    assert counts == {REPEATED: 2}


def test_missing_ratings_stay_missing_where_they_may(raw_log):
    log, _ = build_log(raw_log([("u", "x", np.nan, 1)]))
    assert np.isnan(log.rating).all()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("u", "x", 6, 1), "here.dat:2: rating '6.0'; expected 1 to 5"),
        (("u", "x", 0.5, 1), "here.dat:2: rating '0.5'; expected 1 to 5"),
        (("u", "x", np.inf, 1), "here.dat:2: rating 'inf'; expected 1 to 5"),
        (("u", "x", np.nan, 1), "here.dat:2: rating 'nan'; expected 1 to 5"),
        (("u", "x", 3, -1), "here.dat:2: time '-1'; expected seconds since 1970 UTC, not negative"),
        (("u", "x", 3, LATEST_TIME), f"here.dat:2: time '{LATEST_TIME}'; .* before the year 2100, not milliseconds"),
        (("", "x", 3, 1), "here.dat:2: user id ''; expected printable text that is not empty"),
        (("u", "a\x1bb", 3, 1), r"here.dat:2: item id 'a\\x1bb'; expected printable text"),
    ],
)
def test_an_unusable_value_is_named_with_its_line(raw_log, row, message):
    with pytest.raises(InputError, match=message):
        build_log(raw_log([("u", "ok", 3, 1), row], ratings_required=True))


def test_no_rows_is_an_error(raw_log):
    with pytest.raises(InputError, match=r"here.dat: no interactions"):
        build_log(raw_log([]))


row = st.tuples(st.integers(0, 4), st.integers(0, 6), st.integers(1, 5), st.integers(0, 20))


@given(st.lists(row, min_size=1, max_size=40))
def test_the_log_keeps_the_earliest_of_every_pair_and_nothing_else(rows):
    user, item, rating, time = (np.array(column) for column in zip(*rows, strict=True))
    log, counts = build_log(RawLog("f", user, item, rating.astype(np.float32), time.astype(np.int64)))
    expected = {}
    for number, (u, i, r, t) in enumerate(rows):
        expected[u, i] = min(expected.get((u, i), (t, number, r)), (t, number, r))
    in_order = sorted((u, t, number, i, r) for (u, i), (t, number, r) in expected.items())
    assert rows_of(log) == [(str(u), str(i), float(r), t) for u, t, _, i, r in in_order]
    assert sum(counts.values()) == len(rows) - len(log)


@given(st.lists(row, min_size=1, max_size=30, unique_by=lambda r: (r[0], r[3])), st.randoms())
def test_file_order_is_irrelevant_where_times_differ(rows, random):
    def build(some):
        user, item, rating, time = (np.array(column) for column in zip(*some, strict=True))
        return build_log(RawLog("f", user, item, rating.astype(np.float32), time.astype(np.int64)))[0]

    shuffled = random.sample(rows, len(rows))
    assert rows_of(build(rows)) == rows_of(build(shuffled))
    assert build(rows).item_ids == build(shuffled).item_ids
