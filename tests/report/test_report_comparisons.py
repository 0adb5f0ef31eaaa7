"""The reference against the others, and the paper's two gains."""

import math

import numpy as np
import pytest

from r2rec_bench.report.comparisons import compared, relative_gain
from r2rec_bench.report.study import Study


def test_the_reference_is_the_experiments_own_last_stage(make_row):
    rows = (
        make_row("ease", "baseline", [1]),
        make_row("sft", "r2rec", [1]),
        make_row("grpo", "r2rec", [1]),
        make_row("grpo", "r2rec", [1], group="ablation"),
    )
    assert Study("x", "", rows).reference is rows[2]


def test_wins_ties_losses_and_holm_over_the_family(make_row):
    strong = [1] * 40
    study = Study(
        "x",
        "",
        (
            make_row("weak", "baseline", [2] * 40),
            make_row("equal", "baseline", strong),
            make_row("R2Rec", "r2rec", strong),
        ),
    )
    found = compared(study, study.rows)
    assert found is not None
    weak, equal = found.pairs
    assert (weak.comparison.wins, weak.comparison.ties, weak.comparison.losses) == (40, 0, 0)
    assert weak.comparison.difference.mean == 1.0
    assert weak.adjusted == pytest.approx(2 * weak.comparison.p_value)
    assert equal.comparison.p_value == equal.adjusted == 1.0
    assert math.isnan(equal.detectable)


def test_rows_asked_about_other_users_are_left_out_with_the_reason(make_row):
    other = make_row("ease", "baseline", [1, 2], users="v")
    study = Study("x", "", (other, make_row("R2Rec", "r2rec", [1, 2])))
    found = compared(study, study.rows)
    assert found is not None
    assert found.pairs == ()
    [(row, reason)] = found.left_out
    assert row is other
    assert "users have a result under one system only" in reason


def test_rows_asked_in_another_way_are_left_out_with_the_reason(make_row):
    hard = make_row("ease", "baseline", [2, 2], protocol="99 negatives.")
    study = Study("x", "", (hard, make_row("R2Rec", "r2rec", [1, 2], protocol="19 negatives.")))
    found = compared(study, study.rows)
    assert found is not None
    assert found.pairs == ()
    assert found.left_out == ((hard, "asked otherwise: '99 negatives.' against '19 negatives.'"),)


def test_rows_asked_about_other_negatives_are_left_out_with_the_reason(make_row):
    other = make_row("ease", "baseline", [1, 2], offered=80)
    study = Study("x", "", (other, make_row("R2Rec", "r2rec", [1, 2], offered=1500)))
    found = compared(study, study.rows)
    assert found is not None
    [(row, reason)] = found.left_out
    assert row is other
    assert reason.startswith("asked other lists, of 80 different items against 1,500")


def test_gains_are_over_what_was_asked_the_same(make_row):
    rows = (
        make_row("easy", "baseline", [1, 1], protocol="4 negatives."),
        make_row("untrained", "untrained", [1, 1], protocol="4 negatives."),
        make_row("ease", "baseline", [1, 2]),
        make_row("R2Rec", "r2rec", [1, 2]),
        make_row("untrained", "untrained", [2, 2]),
    )
    study = Study("x", "", rows)
    assert (study.best_baseline, study.untrained) == (rows[2], rows[4])
    assert Study("x", "", rows[:2]).best_baseline is rows[0]


def test_without_an_r2rec_row_there_is_nothing_to_compare(make_row):
    rows = (make_row("ease", "baseline", [1]),)
    assert compared(Study("x", "", rows), rows) is None


def test_relative_gains(make_row):
    best, of = make_row("ease", "baseline", [1, 1, 2, 2]), make_row("R2Rec", "r2rec", [1, 1, 1, 2])
    study = Study("x", "", (make_row("popularity", "baseline", [1, 2, 2, 2]), best, of))
    assert study.best_baseline is best
    assert relative_gain(of, best).mean == pytest.approx(0.5)
    assert math.isnan(relative_gain(of, None).mean)
    assert math.isnan(relative_gain(of, make_row("zero", "untrained", [2, 2, 2, 2])).mean)


def test_a_relative_gain_has_the_interval_of_the_ratio(make_row):
    """Of 100 users the other hits 40, and this one these and 20 more: users drawn one by one."""
    over, of = make_row("ease", "baseline", [1] * 40 + [2] * 60), make_row("R2Rec", "r2rec", [1] * 60 + [2] * 40)
    got = relative_gain(of, over)
    drawn = np.random.default_rng(0).integers(100, size=(20_000, 100))
    ratios = (drawn < 60).sum(axis=1) / (drawn < 40).sum(axis=1) - 1
    assert (got.low, got.high) == pytest.approx(np.quantile(ratios, [0.025, 0.975]), abs=0.03)


def test_over_next_to_nothing_a_gain_has_no_ends(make_row):
    over, of = make_row("ease", "baseline", [1] + [2] * 19), make_row("R2Rec", "r2rec", [1] * 10 + [2] * 10)
    got = relative_gain(of, over)
    assert got.mean == pytest.approx(9)
    assert math.isnan(got.low)
    assert math.isnan(got.high)


def test_over_what_was_asked_otherwise_there_is_no_gain(make_row):
    of = make_row("R2Rec", "r2rec", [1, 2])
    assert math.isnan(relative_gain(of, make_row("ease", "baseline", [1, 2], protocol="4 negatives.")).mean)


def test_of_a_model_whose_hits_were_not_measured_there_is_no_gain(make_row):
    of = make_row("R2Rec", "r2rec", [1, 2])
    del of.result.users.metrics["hr@1"]
    assert math.isnan(relative_gain(of, None).mean)
    assert math.isnan(relative_gain(of, make_row("ease", "baseline", [1, 2])).mean)
