"""Tables beside the main one: what is recommended, whether reasoning holds, what evaluation costs."""

import math

import pytest

from r2rec_bench.evaluation.results import TOP
from r2rec_bench.report.quality import quality_lines
from r2rec_bench.report.study import Study
from r2rec_bench.report.values import SPREAD_AT, interval_of, tokens_per_second

NAN = math.nan


def sections(study: Study) -> dict[str, list[str]]:
    """Lines by heading."""
    found: dict[str, list[str]] = {}
    for line in "\n".join(quality_lines(study)).splitlines():
        if line.startswith("## "):
            found[line[3:]] = []
        elif found and line:
            found[list(found)[-1]].append(line)
    return found


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.fixture
def study(make_row) -> Study:
    silent = {"grounding": [NAN] * 4, "counterfactual": [NAN] * 4, "popularity@1": [100.0, 200.0, 300.0, 400.0]}
    thinks = {"grounding": [NAN] * 4, "counterfactual": [1.0, 1.0, 0.0, NAN], "popularity@1": [10.0] * 4}
    rows = (
        make_row("ease", "baseline", [1, 2, 1, 2], metrics=silent),
        make_row("R2Rec", "r2rec", [1, 1, 1, 1], metrics=thinks, top_ids=(("a",), ("b",), ("c",), ("d",)), offered=8),
    )
    return Study("x", "", rows)


def test_what_is_recommended(study):
    found = sections(study)["What is recommended"]
    assert cells(found[0])[:-1] == ["System", "Coverage@1", "Coverage@5", "Gini@1", "Gini@5", "Popularity@1"]
    ease, r2rec = (cells(line) for line in found[2:4])
    # All four users are recommended the same of four items; then four users four of eight.
    assert [cell.split()[0] for cell in ease[1:6]] == ["0.250", "0.250", "0.750", "0.750", "250"]
    assert [cell.split()[0] for cell in r2rec[1:6]] == ["0.500", "0.500", "0.500", "0.500", "10"]
    assert ease[-1] == study.rows[0].short_id
    assert "at 1 no coverage above 1.000, no Gini below 0.000" in found[-1]
    assert "of what users took it is 7." in found[-1]


def test_cutoffs_are_within_what_is_stored():
    assert max(SPREAD_AT) <= TOP


def test_only_systems_with_thoughts_are_judged_and_what_could_not_be_is_a_dash(study):
    found = sections(study)["Reasoning quality"]
    assert cells(found[0]) == ["System", "Grounding", "Counterfactual", "Run"]
    [row] = [cells(line) for line in found[2:] if line.startswith("|")]
    assert row[:2] == ["R2Rec", "–"]
    assert row[2].startswith("0.667 [")
    assert interval_of(study.rows[1], "counterfactual").n == 3


def test_sections_of_which_nothing_was_measured_are_left_out(make_row):
    assert set(sections(Study("x", "", (make_row("R2Rec", "r2rec", [1, 2]),)))) == {
        "What is recommended",
        "Cost of evaluation",
    }


def test_a_choice_from_a_list_has_a_table_of_its_own(make_row):
    row = make_row("listwise", "r2rec", [1, 2], metrics={"list_place": [0.25, 0.75], "list_valid": [1.0, 1.0]})
    found = sections(Study("x", "", (row,)))["Choosing from a list"]
    assert cells(found[0]) == ["System", "Valid orders", "Mean place", "Run"]
    assert cells(found[2])[2].startswith("0.500 [")


def test_tokens_and_seconds_of_the_evaluation_alone(study):
    costs = sections(study)["Cost of evaluation"]
    assert cells(costs[3])[:5] == ["R2Rec", "70", "7", "1.5", "51"]
    assert tokens_per_second(study.rows[1]) == pytest.approx(77 / 1.5)
