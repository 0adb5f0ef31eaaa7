"""Groups of users: who belongs where, and that nobody is lost or counted twice."""

import csv
import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from r2rec_bench.evaluation.results import UserTable
from r2rec_bench.report.exports import to_csv
from r2rec_bench.report.groups import cold_limit, group_lines, groups_of, metric_in
from r2rec_bench.report.study import Study
from r2rec_bench.report.values import interval_of


def table(seen: list[int], share: list[float]) -> UserTable:
    n = len(seen)
    ones = np.ones(n, np.int64)
    return UserTable(
        tuple(map(str, range(n))), ("i",) * n, ones, np.array(seen), ones, np.array(share), ((),) * n, 1, {}
    )


def test_cold_is_the_quarter_with_the_fewest_interactions_and_head_the_most_popular_fifth():
    users = table([40, 10, 20, 30, 60, 50, 80, 70], [0.0, 0.1, 0.19, 0.2, 0.5, 0.9, 0.99, 0.3])
    cold, warm, head, tail = (group.members.tolist() for group in groups_of(users))
    assert cold_limit(users) == 20
    assert cold == [False, True, True, False, False, False, False, False]
    assert head == [True, True, True, False, False, False, False, False]
    assert warm == [not one for one in cold]
    assert tail == [not one for one in head]


@given(st.lists(st.tuples(st.integers(0, 9), st.floats(0, 0.999)), min_size=1, max_size=30))
def test_groups_part_the_users(users):
    seen, share = zip(*users, strict=True)
    one = table(list(seen), list(share))
    groups = {group.name: group.members for group in groups_of(one)}
    assert list(groups) == ["cold users", "warm users", "head items", "tail items"]
    assert (groups["cold users"] ^ groups["warm users"]).all()
    assert (groups["head items"] ^ groups["tail items"]).all()
    # A quarter, rounded down but at least one, and whoever ties with the last of them.
    quarter = (len(users) - 1) // 4 + 1
    assert groups["cold users"].sum() >= quarter > (np.array(seen) < cold_limit(one)).sum()


@pytest.fixture
def study(make_row) -> Study:
    # Users see 0 to 7 interactions; the first four took head items.
    share = np.array([0.0] * 4 + [0.5] * 4)
    rows = (
        make_row("ease", "baseline", [1, 2, 1, 2, 2, 2, 2, 2], item_share=share),
        make_row("R2Rec", "r2rec", [1, 1, 1, 1, 1, 2, 2, 2], mae=0.5, item_share=share, metrics={"se": [4.0] * 8}),
    )
    return Study("x", "", rows)


def test_values_by_group(study):
    cold, warm, head, tail = groups_of(study.rows[1].result.users)
    found = [metric_in(study.rows[1], "hr@1", group) for group in (cold, warm, head, tail)]
    assert [(interval.mean, interval.n) for interval in found] == [(1, 2), (0.5, 6), (1, 4), (0.25, 4)]
    assert metric_in(study.rows[1], "rmse", tail).mean == 2
    assert found[1] == metric_in(study.rows[1], "hr@1", warm)
    assert found[1].low <= 0.5 <= found[1].high


def test_the_section_says_how_many_and_where_the_limits_are(study):
    text = "\n".join(group_lines(study))
    heads = ["Cold users, n = 2", "Warm users, n = 6", "Head items, n = 4", "Tail items, n = 4"]
    assert all(head in text for head in heads)
    assert "at most 1." in text
    [row] = [line for line in text.splitlines() if line.startswith("| R2Rec")]
    assert [cell.split()[0] for cell in row.split("|")[2:6]] == ["1.000", "0.500", "1.000", "0.250"]
    assert study.rows[1].short_id in row


def test_without_hr_at_1_there_is_no_section(make_row):
    study = Study("x", "", (make_row("ease", "baseline", [1, 2], metrics={"hr@1": [math.nan, math.nan]}),))
    assert list(group_lines(study)) == []


def test_the_csv_has_every_metric_by_group(study):
    rows = [row for row in csv.DictReader(io.StringIO(to_csv(study))) if row["system"] == "R2Rec"]
    of_all = {row["metric"]: row for row in rows if row["group"] == "all"}
    of_tail = {row["metric"]: row for row in rows if row["group"] == "tail items"}
    assert of_all.keys() - of_tail.keys() == {"coverage@1", "coverage@5", "gini@1", "gini@5"}
    assert {"hr@1", "hr@5", "mae", "se", "rmse"} == set(of_tail)
    assert (float(of_tail["hr@1"]["mean"]), of_tail["hr@1"]["n"]) == (0.25, "4")
    assert float(of_all["rmse"]["mean"]) == interval_of(study.rows[1], "rmse").mean == 2
    groups = ("cold users", "warm users")
    n = sum(int(row["n"]) for row in rows if row["metric"] == "hr@1" and row["group"] in groups)
    assert n == int(of_all["hr@1"]["n"])
