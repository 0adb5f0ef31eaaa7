"""The table of ablations: the full model first, values of one setting in their order."""

from pathlib import Path

import pytest

from r2rec_bench.core.loading import load, load_all
from r2rec_bench.experiment import Experiment
from r2rec_bench.report.ablations import ablation_lines, ablation_table, lines_of
from r2rec_bench.report.comparisons import ALPHA, compared, judged
from r2rec_bench.report.study import Study
from r2rec_bench.report.varied import Varied, varied

EXPERIMENT = Path(__file__).parents[2] / "experiments" / "quickstart.yaml"


@pytest.fixture
def study(make_row) -> Study:
    def ablated(group, *ranks):
        return make_row("R2Rec: sft", "r2rec", *ranks, group=group, ablation=True, tokens=(24, 12))

    rows = (
        make_row("ease", "baseline", [6] * 12, [6] * 12),
        make_row("R2Rec: sft", "r2rec", [1] * 12, [1] * 11 + [2], tokens=(120, 36)),
        ablated("chains 8", [1] * 12, [1] * 10 + [2, 2]),
        ablated("no-rl", [2] * 12, [2] * 12),
        ablated("chains 1", [2] * 12, [2] * 12),
    )
    return Study(
        "x",
        "",
        rows,
        ablations={row.group: "How many?" for row in rows[2:]},
        varied=(Varied("chains", "chains.n", {"chains 8": 8, "chains 1": 1, "": 4}),),
    )


def table(study: Study) -> dict[str, dict[str, str]]:
    """Cells by head, by ablation."""
    found = ablation_table(study, compared(study, [row for row in study.rows if row.ablation]))
    return {row[0].value: dict(zip(found.heads, (cell.plain for cell in row), strict=True)) for row in found.rows}


def test_values_stand_in_their_order_with_the_full_models_own_among_them(study):
    assert list(table(study)) == [
        "R2Rec: sft (full model)",
        "chains 1",
        "chains 4 (full model)",
        "chains 8",
        "no-rl",
    ]


def test_values_without_an_order_follow_the_full_models_own(study):
    kinds = Varied("sampler", "chains.use", {"b": "b", "a": "a", "": "own"})
    assert kinds.groups == ("", "b", "a")
    assert kinds.numbers is None
    assert Varied("switch", "x", {"a": True, "": False}).numbers is None


def test_a_value_whose_run_failed_is_left_out_of_the_order(study):
    short = Study("x", "", study.rows[:3], varied=study.varied)
    assert [line.label for line in lines_of(short, study.rows[1])] == ["chains 4 (full model)", "chains 8"]


def test_what_each_ablation_loses_and_what_asking_costs(study):
    found = table(study)
    full, gone, near = found["R2Rec: sft (full model)"], found["no-rl"], found["chains 8"]
    assert full["HR@1"].startswith("0.958 [")
    assert (full["Difference"], full["p"], full["p, Holm"]) == ("–", "–", "–")
    assert full["Tokens / user"] == "10 + 3"
    assert full["Run"].endswith(" ×2")
    assert gone["Difference"].startswith("+0.958 [")
    assert gone["Win / tie / loss"] == "12 / 0 / 0"
    assert gone["Tokens / user"] == "2 + 1"
    # Under the first seed all users have the item first in both rows, under the second one user more in the full model.
    assert near["Difference"].startswith("+0.042 [")
    assert near["SD, seeds"] == f"{(1 / 12) / 2**0.5:.3f}"
    assert (near["Win / tie / loss"], near["p"]) == ("1 / 11 / 0", near["p, Holm"])
    assert float(gone["p, Holm"]) == pytest.approx(3 * float(gone["p"]), abs=3e-4)


def test_ablations_and_systems_are_corrected_apart_and_both_are_marked(study):
    found = judged(study)
    assert found.systems.pairs[0].adjusted == found.systems.pairs[0].comparison.p_value
    # As far from the full model as the baseline, but one of three: what is marked is what Holm leaves.
    [gone] = [pair for pair in found.ablations.pairs if pair.row.label == "no-rl"]
    assert gone.comparison.p_value < ALPHA < gone.adjusted
    assert {row.label for row in found.marked} == {"ease"}


def test_the_section_says_how_it_was_made_and_links_only_what_was_drawn(study):
    text = "\n".join(ablation_lines(study, judged(study), ["ablations.svg"]))
    assert text.index("| no-rl") < text.index("n = 12 users, 2 seeds (0, 1)") < text.index("- **chains 8**: How many?")
    for said in ("Users and seeds are crossed", "SD, seeds: standard deviation", "†: HR@1 differs from that of R2Rec"):
        assert said in text
    assert "](ablations.svg)" in text
    assert "values.svg" not in text


def test_one_seed_has_neither_a_column_nor_a_word_about_seeds(study):
    rows = tuple(type(row)(row.group, row.runs[:1], row.ablation) for row in study.rows)
    text = "\n".join(ablation_lines(Study("x", "", rows, study.ablations), judged(Study("x", "", rows)), []))
    assert "no-rl" in text
    assert "seeds" not in text


def test_ablations_that_cannot_be_compared_or_failed_are_told_with_the_reason(make_row):
    rows = (make_row("R2Rec", "r2rec", [1, 2]), make_row("R2Rec", "r2rec", [1, 2], group="a", ablation=True, users="v"))
    study = Study("x", "", rows, {"a": "What if?"}, {"b": "no | memory"})
    text = "\n".join(ablation_lines(study, judged(study), []))
    assert "Not compared with a (" in text
    assert "users have a result under one system only" in text
    assert "- **b failed**: no \\| memory" in text
    assert list(ablation_lines(Study("x", "", rows[:1]), judged(Study("x", "", rows[:1])), [])) == []


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("vary: {chains.n: [1, 2]}", {"many 1": 1, "many 2": 2, "": 8}),
        ("vary: {chains.n: [2, 8]}", {"many 2": 2, "": 8}),
        ("vary: {teacher.trust: [0, 1]}", {"many 0": 0, "many 1": 1, "": 0.5}),
        ("vary: {chains.use: [recent]}", {"many recent": "recent", "": "closed_uniform"}),
        ("vary: {chains.n: [1]}\nchange: {chains.order: any}", {"many 1": 1}),
        ("vary: {chains.n: [1]}\nchange: {seed: 3}", {"many 1": 1}),
    ],
)
def test_the_full_models_own_value_is_known_where_nothing_else_is_changed(tmp_path, text, values):
    path = tmp_path / "many.yaml"
    path.write_text(f"extends: {EXPERIMENT}\nquestion: How many?\n{text}\n")
    found = varied(load(EXPERIMENT, Experiment), load_all(path, Experiment))
    assert found is not None
    assert (found.name, found.values) == ("many", values)


def test_an_ablation_that_varies_nothing_is_no_curve(tmp_path):
    path = tmp_path / "few.yaml"
    path.write_text(f"extends: {EXPERIMENT}\nquestion: How many?\nchange: {{chains.n: 1}}\n")
    assert varied(load(EXPERIMENT, Experiment), load_all(path, Experiment)) is None
