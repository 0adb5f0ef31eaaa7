"""The main table and its exports, against values worked out by hand."""

import csv
import io
import math

import pytest

from r2rec_bench.report.captions import about_places
from r2rec_bench.report.exports import to_csv
from r2rec_bench.report.study import Study
from r2rec_bench.report.table import main_table
from r2rec_bench.report.values import interval_of


@pytest.fixture
def study(make_row) -> Study:
    rows = (
        make_row("popularity", "baseline", [1, 6, 6, 6]),
        make_row("ease", "baseline", [1, 1, 6, 6]),
        make_row("nano, untrained", "untrained", [6, 6, 6, 6], mae=2.0),
        make_row("R2Rec: sft", "r2rec", [1, 1, 1, 6], mae=1.0),
        make_row("R2Rec: 50% & <more>", "r2rec", [1, 1, 1, 2], group="other", mae=1.0),
    )
    return Study("x", "Why?", rows)


def column(study: Study, head: str):
    table = main_table(study)
    return [row[table.heads.index(head)] for row in table.rows]


def test_means_with_best_and_second_equals_alike(study):
    cells = column(study, "HR@1")
    assert [cell.value for cell in cells] == ["0.250", "0.500", "0.000", "0.750", "0.750"]
    assert [cell.place for cell in cells] == [0, 2, 0, 1, 1]


def test_of_an_error_the_smallest_is_best_and_missing_ones_are_dashes(study):
    cells = column(study, "MAE")
    assert [(cell.value, cell.place) for cell in cells] == [
        ("–", 0),
        ("–", 0),
        ("2.000", 2),
        ("1.000", 1),
        ("1.000", 1),
    ]


def test_a_column_of_equals_ranks_nobody(make_row):
    study = Study("x", "", (make_row("a", "baseline", [1, 2]), make_row("b", "baseline", [2, 1])))
    assert {cell.place for cell in column(study, "HR@1")} == {0}


def test_only_rows_asked_like_the_first_are_ranked(make_row):
    rows = (
        make_row("ease", "baseline", [1, 2, 2, 2]),
        make_row("als", "baseline", [1, 1, 2, 2]),
        make_row("easy", "baseline", [1, 1, 1, 1], group="other", protocol="4 negatives."),
    )
    study = Study("x", "", rows)
    assert [cell.place for cell in column(study, "HR@1")] == [2, 1, 0]
    assert about_places(study, marked=False) == "Bold: best; underlined: second, of the rows asked like the first."
    assert about_places(Study("x", "", rows[:2]), marked=False) == "Bold: best; underlined: second."


def test_only_metrics_that_were_measured_have_a_column(study):
    assert main_table(study).heads == ("System", "HR@1", "HR@5", "MAE", "Tokens", "Training s", "Evaluation s", "Run")


def test_costs_and_run_ids(study):
    assert [cell.value for cell in column(study, "Training s")] == ["–", "–", "0.0", "5.0", "5.0"]
    assert [cell.value for cell in column(study, "Evaluation s")] == ["1.5"] * 5
    assert [cell.value for cell in column(study, "Tokens")] == ["77"] * 5
    assert [cell.value for cell in column(study, "Run")] == [row.result.run_id[:12] for row in study.rows]


def test_intervals_are_the_same_every_time_and_hold_the_mean(study):
    row = study.rows[1]
    interval = interval_of(row, "hr@1")
    assert interval == interval_of(row, "hr@1")
    assert interval.low <= 0.5 <= interval.high
    assert column(study, "HR@1")[1].plain == f"0.500 [{interval.low:.3f}, {interval.high:.3f}]"


def test_csv_has_every_interval_in_full(study):
    rows = [row for row in csv.DictReader(io.StringIO(to_csv(study))) if row["group"] == "all"]
    assert len(rows) == 5 * (3 + 4)  # and what is derived: coverage and Gini at two cutoffs
    found = next(row for row in rows if row["system"] == "R2Rec: sft" and row["metric"] == "hr@1")
    assert float(found["mean"]) == 0.75
    assert float(found["low"]) == interval_of(study.rows[3], "hr@1").low
    assert found["run_id"] == study.rows[3].result.run_id
    assert (float(found["training_seconds"]), found["prompt_tokens"]) == (5.0, "70")
    assert math.isnan(float(next(row for row in rows if row["system"] == "ease")["training_seconds"]))


def test_several_seeds_have_their_standard_deviation_beside_the_mean(make_row):
    rows = (make_row("ease", "baseline", [1, 2, 2, 2], [1, 1, 1, 2]), make_row("als", "baseline", [1, 1, 1, 1]))
    study = Study("x", "", rows)
    assert main_table(study).heads[:3] == ("System", "HR@1", "SD, seeds")
    # HR@1 is 0.25 under one seed and 0.75 under the other.
    assert [cell.value for cell in column(study, "SD, seeds")] == [f"{0.5 / math.sqrt(2):.3f}", "–"]
    assert column(study, "HR@1")[0].value == "0.500"
    assert column(study, "Run")[0].value.endswith(" ×2")


def test_the_marks_are_beside_the_numbers_and_on_hr_at_1_alone(study):
    table = main_table(study, [study.rows[0]])
    [(row, head)] = [
        (number, table.heads[place])
        for number, cells in enumerate(table.rows)
        for place, cell in enumerate(cells)
        if cell.marked
    ]
    assert (row, head) == (0, "HR@1")
    assert " 0.250† [" in table.markdown()
    assert "†" not in main_table(study).markdown()
