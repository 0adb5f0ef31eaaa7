from typing import Annotated

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from r2rec_bench.core.config import Config, Family, Spec, validate
from r2rec_bench.core.errors import ConfigError, InputError
from r2rec_bench.core.types import Visibility
from r2rec_bench.data.base import Fold, splits
from r2rec_bench.data.log import RawLog, build_log
from r2rec_bench.data.splits.leave_last_out import LeaveLastOut
from r2rec_bench.data.splits.temporal import Temporal, TemporalConfig

T, V, E, U = Fold.TRAIN, Fold.VALIDATION, Fold.TEST, Fold.UNUSED


class Experiment(Config):
    split: Annotated[Spec, Family("splits")]


def test_leave_last_out_by_hand(make_log):
    log = make_log(
        [
            *[("a", "w", 1, 1), ("a", "x", 1, 2), ("a", "y", 1, 3), ("a", "z", 1, 4)],
            *[("b", "w", 1, 1), ("b", "x", 1, 2)],
            *[("c", "z", 1, 7), ("c", "y", 1, 8), ("c", "x", 1, 9)],
        ]
    )
    folds = LeaveLastOut().split(log)
    assert folds.fold.tolist() == [T, T, V, E, U, U, T, V, E]
    assert folds.asked[V].tolist() == [2, 7]
    assert folds.asked[E].tolist() == [3, 8]
    assert folds.visible_log(E).time.tolist() == [1, 2, 3, 7, 8]


def test_leave_last_out_needs_somebody_with_three(make_log):
    with pytest.raises(InputError, match="leave_last_out: the test fold is empty: no user has 3 interactions"):
        LeaveLastOut().split(make_log([("a", "x", 1, 1), ("a", "y", 1, 2)]))


def test_temporal_by_hand(make_log):
    rows = [("a", f"i{t}", 1, t) for t in range(1, 9)]  # 80 % of ten, to time 8
    rows += [("a", "x", 1, 9), ("b", "x", 1, 10)]
    rows = [*rows[:4], ("b", "i5", 1, 5), *rows[5:]]
    folds = Temporal().split(make_log(rows))
    in_time = np.argsort(folds.log.time)
    assert folds.fold[in_time].tolist() == [T] * 8 + [V, E]
    asked = {fold: folds.log.time[rows].tolist() for fold, rows in folds.asked.items()}
    assert asked == {V: [9], E: [10]}


def test_temporal_keeps_one_second_together_on_the_earlier_side(make_log):
    times = [1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 10, 11]
    rows = [("ab"[at % 2], f"i{at}", 1, time) for at, time in enumerate(times)]
    folds = Temporal(TemporalConfig(train=0.65, validation=0.2)).split(make_log(rows))
    by_time = dict(zip(folds.log.time.tolist(), folds.fold.tolist(), strict=True))
    assert [by_time[time] for time in (7, 8, 9, 10, 11)] == [T, T, V, E, E]


def test_temporal_does_not_ask_about_strangers(make_log):
    rows = [("a", f"i{t}", 1, t) for t in range(1, 29)]
    rows += [("new", "x", 1, 40), ("new", "y", 1, 41), ("a", "z", 1, 42)]
    folds = Temporal().split(make_log(rows))
    assert {folds.log.user_ids[folds.log.user[row]] for row in folds.asked[E]} == {"a"}


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([5] * 10, "nobody can be asked in the validation fold: too few different times"),
        ([*range(8), 90, 90], "nobody can be asked in the test fold: too few different times"),
    ],
)
def test_temporal_says_which_fold_is_empty(make_log, times, message):
    with pytest.raises(InputError, match=f"temporal: {message}"):
        Temporal().split(make_log([("a", f"i{at}", 1, time) for at, time in enumerate(times)]))


def test_temporal_says_when_only_strangers_come(make_log):
    rows = [("a", f"i{t}", 1, t) for t in range(9)] + [("b", "x", 1, 99)]
    with pytest.raises(InputError, match="in the test fold: no user has an earlier interaction"):
        Temporal().split(make_log(rows))


def test_shares_that_leave_no_test_fold_are_refused():
    with pytest.raises(ConfigError, match=r"train \+ validation must be below 1, got 1.1"):
        validate(Experiment, {"split": {"use": "temporal", "train": 0.8, "validation": 0.3}}, "exp.yaml")


def test_default_visibility():
    assert LeaveLastOut.default_visibility == Visibility.FOLD
    assert Temporal.default_visibility == Visibility.PAST
    assert {"leave_last_out", "temporal"} <= set(splits.names())


rows = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(0, 30)),
    min_size=3,
    max_size=60,
    unique_by=lambda r: r[:2],
)


@given(rows, st.sampled_from([LeaveLastOut(), Temporal()]))
def test_every_split_is_ordered_and_asks_what_it_hides(rows, split):
    user, item, time = (np.array(column) for column in zip(*rows, strict=True))
    log, _ = build_log(RawLog("f", user, item, np.full(len(rows), 3, np.float32), time.astype(np.int64)))
    try:
        folds = split.split(log)
    except InputError:
        return
    same_user = log.user[1:] == log.user[:-1]
    assert (np.diff(folds.fold)[same_user] >= 0).all()
    for fold, asked in folds.asked.items():
        assert (folds.fold[asked] == fold).all()
        assert len(set(log.user[asked].tolist())) == len(asked)
        visible = folds.visible_log(fold)
        assert set(log.user[asked].tolist()) <= set(visible.user.tolist())
        if isinstance(split, Temporal):
            assert visible.time.max() < log.time[asked].min()
    if isinstance(split, LeaveLastOut):
        last = log.offsets()[1:] - 1
        assert folds.asked[Fold.TEST].tolist() == [row for row in last if folds.fold[row] != Fold.UNUSED]
