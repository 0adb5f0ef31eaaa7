"""Stored results: what is written is what is read, damage is named, means are derived."""

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from r2rec_bench.core.environment import Environment
from r2rec_bench.core.errors import ConfigError, InputError
from r2rec_bench.core.types import Candidates, Cost, InteractionLog, Query, Ranking
from r2rec_bench.evaluation.metrics.base import Answered
from r2rec_bench.evaluation.metrics.hr import HitRatio, HitRatioConfig
from r2rec_bench.evaluation.metrics.mrr import ReciprocalRank
from r2rec_bench.evaluation.results import RunResult, StageCost, UserTable, measure


def table(**columns):
    values = {name: np.asarray(column, np.float64) for name, column in columns.items()}
    n = len(next(iter(values.values())))
    return users_of(tuple(f"u{i}" for i in range(n)), tuple(f"i{i}" for i in range(n)), np.arange(1, n + 1), values)


def users_of(user_ids, item_ids, rank, metrics):
    """A table of which only these columns matter."""
    n = len(user_ids)
    ones = np.ones(n, np.int64)
    return UserTable(user_ids, item_ids, rank, ones, ones, np.zeros(n), ((),) * n, 1, metrics)


@pytest.fixture
def result():
    return RunResult(
        run_id="0123abcd",
        system="R2Rec (nano, SFT + GRPO)",
        kind="r2rec",
        seed=7,
        protocol="leave-last-out, fold visibility, 20 candidates, ties lose",
        stages=(StageCost("sft", Cost(10.5, 100, 50, 2**30)), StageCost("rank", Cost(2.0, 10, 5, 2**31))),
        environment=Environment("f00", True, {"torch": "2.8.0"}, "3.11.9", "Linux x86_64", "EPYC", 2, 23.4, None),
        users=UserTable(
            ("1", "Zoë"),
            ("a", "50"),
            np.array([1, 3]),
            user_seen=np.array([12, 3]),
            item_seen=np.array([0, 40]),
            item_share=np.array([0.9, 0.25]),
            top_ids=(("a", "50"), ()),
            offered=3,
            metrics={"hr@1": np.array([1.0, 0]), "mae": np.array([0.5, np.nan])},
        ),
    )


def test_what_is_saved_is_what_is_loaded(result, tmp_path):
    result.save(tmp_path / "run")
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["per_user.parquet", "result.json"]
    loaded = RunResult.load(tmp_path / "run")
    for field in dataclasses.fields(RunResult):
        if field.name != "users":
            assert getattr(loaded, field.name) == getattr(result, field.name)
    assert loaded.users.user_ids == result.users.user_ids
    assert loaded.users.item_ids == result.users.item_ids
    assert loaded.users.top_ids == result.users.top_ids
    assert loaded.users.offered == 3
    for column in ("rank", "user_seen", "item_seen", "item_share"):
        np.testing.assert_array_equal(getattr(loaded.users, column), getattr(result.users, column))
    assert list(loaded.users.metrics) == ["hr@1", "mae"]
    for name, values in result.users.metrics.items():
        np.testing.assert_array_equal(loaded.users.values(name), values)


def test_the_same_result_is_the_same_bytes(result, tmp_path):
    for folder in (tmp_path / "one", tmp_path / "two"):
        result.save(folder)
    for name in ("per_user.parquet", "result.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_header_is_plain_json(result, tmp_path):
    result.save(tmp_path)
    header = json.loads((tmp_path / "result.json").read_text())
    assert header["run_id"] == "0123abcd"
    assert header["stages"][0] == {
        "stage": "sft",
        "cost": {"seconds": 10.5, "prompt_tokens": 100, "completion_tokens": 50, "peak_bytes": 2**30},
    }
    assert "users" not in header


def test_cost_is_the_sum_of_the_stages(result):
    assert result.cost == Cost(seconds=12.5, prompt_tokens=110, completion_tokens=55, peak_bytes=2**31)


def test_a_mean_leaves_out_users_without_a_value():
    users = table(mae=[1.0, np.nan, 2.0], se=[1.0, np.nan, 4.0], none=[np.nan] * 3)
    assert users.mean("mae") == 1.5
    assert users.rmse() == pytest.approx(math.sqrt(2.5))
    assert math.isnan(users.mean("none"))


def test_an_unknown_metric_is_answered_with_the_nearest():
    with pytest.raises(InputError, match=r"unknown metric 'hr@2'\. Did you mean 'hr@1'\? Known: hr@1, mrr"):
        table(**{"hr@1": [1.0], "mrr": [1.0]}).mean("hr@2")


def test_a_user_has_one_row():
    with pytest.raises(InputError, match="user 'b' has several rows"):
        users_of(("a", "b", "b"), ("1", "2", "3"), np.array([1, 1, 1]), {})


def test_columns_are_of_one_length():
    with pytest.raises(ValueError, match=r"2 users, but columns of \[2, 3\] values"):
        users_of(("a", "b"), ("1", "2"), np.array([1, 1]), {"mrr": np.zeros(3)})


@pytest.mark.parametrize("run_id", ["", "XYZ12345", "../../0123abcd", "0123"])
def test_a_run_id_is_a_fingerprint(result, run_id):
    with pytest.raises(InputError, match="expected a fingerprint of 8 to 64 lower-case hex digits"):
        dataclasses.replace(result, run_id=run_id)


def test_an_empty_folder_holds_no_result(tmp_path):
    with pytest.raises(InputError, match=r"holds no result: result\.json is missing"):
        RunResult.load(tmp_path)


def test_a_header_without_a_table_is_no_result(result, tmp_path):
    result.save(tmp_path)
    (tmp_path / "per_user.parquet").unlink()
    with pytest.raises(InputError, match=r"holds no result: per_user\.parquet is missing"):
        RunResult.load(tmp_path)


def test_a_damaged_header_is_named_with_every_problem(result, tmp_path):
    result.save(tmp_path)
    path = tmp_path / "result.json"
    header = json.loads(path.read_text())
    del header["system"]
    header["stages"][0]["cost"]["seconds"] = "long"
    path.write_text(json.dumps(header))
    with pytest.raises(ConfigError) as caught:
        RunResult.load(tmp_path)
    assert {problem.where for problem in caught.value.problems} == {"system", "stages.0.cost.seconds"}
    path.write_text("{")
    with pytest.raises(ConfigError, match="Invalid JSON"):
        RunResult.load(tmp_path)


def test_a_damaged_table_is_named(result, tmp_path):
    result.save(tmp_path)
    path = tmp_path / "per_user.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"per_user\.parquet is damaged"):
        RunResult.load(tmp_path)


def test_files_of_two_runs_are_not_one_result(result, tmp_path):
    result.save(tmp_path / "one")
    dataclasses.replace(result, run_id="deadbeef").save(tmp_path / "two")
    (tmp_path / "two" / "result.json").replace(tmp_path / "one" / "result.json")
    with pytest.raises(InputError, match="is of run '0123abcd', its header of run 'deadbeef'"):
        RunResult.load(tmp_path / "one")


def test_an_interrupted_save_leaves_the_old_result(result, tmp_path, monkeypatch):
    result.save(tmp_path)

    def interrupted(path, content):
        Path.open(path, "wb").write(content[: len(content) // 2])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        dataclasses.replace(result, seed=8).save(tmp_path)
    assert RunResult.load(tmp_path).seed == 7


@pytest.fixture
def ranked():
    """Two users, asked about items c and a of a log of three items; the second is answered wrongly."""
    log = InteractionLog(
        user=np.array([0, 1], np.int32),
        item=np.array([2, 0], np.int32),
        rating=np.array([4, 5], np.float32),
        time=np.array([1, 2]),
        user_ids=("ann", "bob"),
        item_ids=("a", "b", "c"),
    )
    candidates = Candidates(
        queries=(Query(1, 2, 0), Query(0, 1, 0)),
        items=np.array([[1, 0], [2, 1]], np.int32),
        positive=np.array([1, 0], np.int32),
        rating=np.array([5, 4], np.float32),
        digest="",
    )
    scores = np.array([[2.0, 1.0], [2.0, 1.0]])
    ranking = Ranking(scores, scores, np.ones((2, 2), bool), Cost())
    return Answered(ranking, candidates, np.array([1, 0, 1]), np.array([4, 2])), log


def test_measuring_names_users_and_positives_by_their_original_ids(ranked):
    users = measure(*ranked, [HitRatio(HitRatioConfig(at=(1,))), ReciprocalRank()])
    assert users.user_ids == ("bob", "ann")
    assert users.item_ids == ("a", "c")
    assert users.rank.tolist() == [2, 1]
    assert users.values("hr@1").tolist() == [0, 1]
    assert users.mean("mrr") == 0.75


def test_measuring_stores_what_groups_and_spread_are_derived_from(ranked):
    users = measure(*ranked, [])
    assert users.user_seen.tolist() == [4, 2]
    assert users.item_seen.tolist() == [1, 1]
    assert users.item_share.tolist() == [0, 0]  # of the items a, b, c seen 1, 0 and 1 times none has more
    assert users.top_ids == (("b", "a"), ("c", "b"))
    assert users.offered == 3


def test_a_table_of_another_version_is_named(result, tmp_path):
    result.save(tmp_path)
    path = tmp_path / "per_user.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["user_seen", "top_ids"]), path)
    with pytest.raises(InputError, match="of another version, without user_seen, top_ids"):
        RunResult.load(tmp_path)


def test_a_column_is_given_once(ranked):
    with pytest.raises(InputError, match="the column 'hr@1' is given twice"):
        measure(*ranked, [HitRatio(), HitRatio(HitRatioConfig(at=(1,)))])
