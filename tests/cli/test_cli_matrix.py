"""`r2rec matrix`: what each cell is set to, and a small matrix through the command line."""

import csv
import re
from pathlib import Path

import pytest

from r2rec_bench.chains.base import ChainSampler, chain_samplers
from r2rec_bench.cli.matrix import show
from r2rec_bench.core.errors import ConfigError, InputError
from r2rec_bench.core.loading import load
from r2rec_bench.core.registry import registry
from r2rec_bench.experiment import Experiment
from r2rec_bench.matrix.parts import axis
from r2rec_bench.matrix.plan import Cell, Fit, Plan, fitted, planned
from r2rec_bench.report.tried import Tried

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
SMALL = ("--set", "candidates.users=25", "--set", "queries.n=200", "--set", "stages.sft.epochs=1")


def base(*overrides: str) -> Experiment:
    return load(EXPERIMENTS / "matrix.yaml", Experiment, overrides).value


def fit(experiment: Experiment, vary: str) -> Fit:
    one = axis(vary)
    return fitted(one.part, one.choices[0], experiment)


def cells(experiment: Experiment, *vary: str) -> dict[tuple[str, ...], Cell]:
    return {cell.labels: cell for cell in planned(experiment, [axis(text) for text in vary]).cells}


# What a component is set to


def test_settings_of_the_base_are_kept_where_the_component_has_and_takes_them():
    chains = "chains={use: closed_uniform, n: 3, evidence: bundle, order: any, window: 7}"
    assert fit(base(chains), "chains=recent").written == {
        "use": "recent",
        "n": 3,
        "evidence": "bundle",
        "order": "any",
        "distinct": "chain",
        "window": 7,
        "half_life_days": 30.0,
    }


def test_a_setting_that_the_component_refuses_is_left_to_its_default_and_told():
    got = fit(base(), "chains=random_walk")
    assert (got.written["evidence"], got.written["n"]) == ("single", 4)
    assert got.left == {"evidence": ("bundle", "Input should be 'single'; got 'bundle'")}


def test_a_setting_that_the_component_does_not_have_is_left_and_told():
    got = fit(base("chains={use: closed_uniform, evidence: single, hops: 6, n: 2}"), "chains=recent")
    assert got.left == {"hops": (6, "it has no such setting")}
    assert got.written["n"] == 2


def test_where_only_the_combination_is_refused_all_of_the_base_is_left():
    peers = base("chains={use: closed_weighted, evidence: single, distinct: peer, n: 2}")
    got = fit(peers, "chains=[{use: closed_uniform, hops: 6, evidence: single}]")
    assert got.written == {
        "use": "closed_uniform",
        "n": 8,
        "evidence": "single",
        "order": "forward",
        "distinct": "chain",
        "window": 10,
        "hops": 6,
    }
    assert set(got.left) == {"n", "distinct"}
    assert "6 hops have distinct: chain alone" in got.left["n"][1]


def test_a_default_that_nobody_stated_is_not_carried_over():
    """That walks are single is the walk's own default: bundles are still what a closed sampler takes by itself."""
    got = fit(base("chains={use: random_walk, n: 2}"), "chains=closed_uniform")
    assert (got.written["n"], got.written["evidence"]) == (2, "bundle")
    assert got.left == {}


def test_the_base_component_keeps_everything_and_given_settings_win():
    quick = base("chains={use: recent, half_life_days: 7}")
    assert fit(quick, "chains=recent").written["half_life_days"] == 7
    assert fit(quick, "chains=[{use: recent, half_life_days: 9}]").written["half_life_days"] == 9


def test_components_of_a_list_are_alone_there_and_keep_their_own_settings():
    stages = cells(base(), "stages=sft,grpo")
    sft, grpo = stages["sft",].experiment, stages["grpo",].experiment
    assert [spec.to_dict()["lr"] for spec in sft.stages] == [1e-3]
    assert [spec.use for spec in grpo.stages] == ["grpo"]
    assert grpo.stages[0].settings == registry("stages").get("grpo").config_type()()


def test_baselines_are_compared_by_their_own_rows():
    tried = cells(base("baselines=[{use: ease, l2: 7}, popularity]"), "baselines=ease,als")
    ease = tried["ease",].experiment
    assert [spec.to_dict() for spec in ease.baselines] == [{"use": "ease", "l2": 7.0}]
    assert (ease.stages, ease.untrained) == ((), False)
    assert [spec.use for spec in tried["als",].experiment.baselines] == ["als"]


def test_a_cell_is_the_base_with_that_part_changed_and_nothing_else():
    whole = base("baselines=[popularity]", "untrained=true")
    cell = cells(whole, "chains=none", "prompts=direct")["none", "direct"].experiment
    alike = {"chains", "prompts", "baselines", "untrained"}
    assert cell.model_dump(exclude=alike) == whole.model_dump(exclude=alike)
    assert (cell.chains.use, cell.prompts.use, cell.baselines, cell.untrained) == ("none", "direct", (), False)


def test_without_stages_the_backbone_is_asked_as_it_is():
    assert cells(base("stages=[]", "untrained=true"), "chains=none")["none",].experiment.untrained


def test_every_chain_sampler_goes_with_every_prompting_strategy():
    every = cells(base(), "chains", "prompts")
    assert len(every) == len(registry("chains").names()) * len(registry("prompts").names())
    assert {cell.title: cell.problem for cell in every.values() if cell.experiment is None} == {}


def test_parts_that_do_not_go_together_are_a_cell_with_a_reason():
    tried = cells(base(), "splits")
    assert tried["leave_last_out",].experiment
    assert "temporal split requires 'past'" in tried["temporal",].problem
    hf = cells(base(), "backbones", "chains=none")["hf", "none"]
    assert "path: required" in hf.problem


def test_components_of_nested_parts_are_tried_in_their_place():
    assert cells(base(), "negatives")["popularity",].experiment.candidates.negatives.use == "popularity"


@pytest.mark.parametrize(
    ("vary", "said"),
    [
        (["cains"], "Did you mean 'chains'?"),
        (["chains=recnt"], "Did you mean 'recent'?"),
        (["chains=[{use: recent, half_live_days: 3}]"], "Did you mean 'half_life_days'?"),
        (["chains=[{use: recent, half_life_days: -3}]"], "half_life_days: Input should be greater than 0"),
        (["chains=[recent"], "not valid YAML"),
        (["chains=[[recent]]"], "expected names, or mappings with `use`"),
        (["chains="], "got nothing"),
        (["chains=none,none"], "got 'none' twice"),
        (["metrics"], "metrics are the columns of every report"),
        (["rewards"], "rewards are settings of a stage"),
        (["pairs"], "pairs are settings of a stage"),
        (["splits=leave_last_out:1"], "has no settings, so it takes no argument"),
        (["backbones=hf"], "path: required"),
        ([], "expected one family, or two different ones; got none"),
        (["chains", "prompts", "teachers"], "got chains, prompts, teachers"),
        (["chains", "chains=none"], "got chains, chains"),
    ],
)
def test_what_cannot_be_varied_is_refused_before_any_work(vary, said):
    with pytest.raises(InputError, match=re.escape(said)):
        planned(base(), [axis(text) for text in vary])


def test_a_part_goes_by_its_key_too_and_a_component_by_its_argument():
    assert axis("teacher=template").part == axis("teachers=template").part
    one = axis("backbones=hf:some/model, nano")
    assert [(choice.label, choice.use, dict(choice.given)) for choice in one.choices] == [
        ("hf:some/model", "hf", {"path": "some/model"}),
        ("nano", "nano", {}),
    ]


def test_a_plan_names_its_report_by_experiment_and_families():
    plan = planned(base(), [axis("chains=none"), axis("prompts=direct")])
    assert isinstance(plan, Plan)
    assert plan.name == "matrix-slice-chains-prompts"


def test_a_combination_that_a_rule_forbids_leaves_an_error_of_its_own():
    with pytest.raises(ConfigError):
        fit(base(), "chains=[{use: closed_uniform, hops: 6, evidence: bundle}]")


# A small matrix through the command line


def invoke(ran, *arguments: object, out: str = "matrix"):
    return ran.invoke("matrix", ran.folder / "tiny.yaml", *arguments, *SMALL, "--out", ran.folder / out)


@pytest.fixture(scope="module")
def small(ran):
    result = invoke(ran, "--vary", "chains=closed_uniform,random_walk", "--vary", "prompts=direct,one_shot_mask")
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope="module")
def rows(ran, small):
    with (ran.folder / "matrix" / "matrix-tiny-chains-prompts" / "results.csv").open(encoding="utf-8") as file:
        return {(row["chains"], row["prompts"]): row for row in csv.DictReader(file)}


@pytest.mark.slow
def test_the_table_has_a_row_and_a_column_per_component(small, rows):
    shown = {line.split()[0]: line.split()[1:] for line in small.stdout.splitlines() if line.strip()}
    for chains in ("closed_uniform", "random_walk"):
        expected = [f"{float(rows[chains, prompts]['hr@1']):.3f}" for prompts in ("direct", "one_shot_mask")]
        assert shown[chains] == expected
    assert "n = 25 users. synthetic, leave_last_out, fold test" in " ".join(small.stdout.split())
    assert "SYNTHETIC DATA. Everything here" in small.stderr
    assert "4 of 4: random_walk × one_shot_mask" in small.stderr


def test_a_long_name_takes_a_line_per_word_so_that_columns_stay_narrow(capsys):
    plan = planned(base(), [axis("chains=none"), axis("prompts=progressive_mask,direct")])
    show(plan, [Tried(cell, None, "why") for cell in plan.cells])
    lines = capsys.readouterr().out.splitlines()
    heads = [line.split() for line in lines if "progressive_" in line or "mask" in line][:2]
    assert heads == [["progressive_"], ["chains", "×", "prompts", "mask", "direct"]]
    assert "(1) none × progressive_mask: why" in lines
    assert "(2) none × direct: why" in lines


@pytest.mark.slow
def test_the_report_names_runs_intervals_and_settings_left(ran, small, rows):
    report = (ran.folder / "matrix" / "matrix-tiny-chains-prompts" / "report.md").read_text("utf-8")
    assert "SYNTHETIC DATA" in report.split("\n| ")[0]
    for row in rows.values():
        interval = f"{float(row['hr@1']):.3f} [{float(row['low']):.3f}, {float(row['high']):.3f}]"
        assert report.count(interval) >= 2
        assert row["run_id"][:12] in report
        assert row["n"] == "25"
    assert r"random\_walk did not take evidence: bundle (it is single)" in report
    assert "evidence: single" in rows["random_walk", "direct"]["set:chains"]
    assert "evidence: bundle" in rows["closed_uniform", "direct"]["set:chains"]


@pytest.mark.slow
def test_a_cell_is_an_ordinary_run_with_the_same_number(ran, rows):
    row = rows["random_walk", "direct"]
    settings = [f"{key.removeprefix('set:')}={value}" for key, value in row.items() if key.startswith("set:")]
    changes = [part for setting in (*settings, "baselines=[]", "untrained=false") for part in ("--set", setting)]
    single = ran.invoke("report", ran.folder / "tiny.yaml", *SMALL, *changes, "--out", ran.folder / "cell")
    assert single.exit_code == 0, single.output
    with (ran.folder / "cell" / "tiny" / "results.csv").open(encoding="utf-8") as file:
        (own,) = [line for line in csv.DictReader(file) if (line["metric"], line["group"]) == ("hr@1", "all")]
    assert (own["run_id"], own["mean"], own["low"], own["high"]) == (
        row["run_id"],
        row["hr@1"],
        row["low"],
        row["high"],
    )


@pytest.mark.slow
def test_a_second_time_nothing_is_done_and_the_same_is_written(ran, small):
    folder = ran.folder / "matrix" / "matrix-tiny-chains-prompts"
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert {path.name for path in before} == {"report.md", "results.csv", "heat-map.svg"}
    assert "](heat-map.svg)" in (folder / "report.md").read_text("utf-8")
    again = invoke(ran, "--vary", "chains=closed_uniform,random_walk", "--vary", "prompts=direct,one_shot_mask")
    assert "✓" not in again.stderr
    assert again.stdout == small.stdout
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.fixture
def broken(monkeypatch):
    """A sampler with a bug, registered for one test."""
    monkeypatch.setattr(chain_samplers, "_classes", dict(chain_samplers._classes))

    @chain_samplers.register("broken")
    class Broken(ChainSampler):
        """Raises."""

        def sample(self, visible, target, rng):
            raise ZeroDivisionError("no [chain] here")


@pytest.mark.slow
@pytest.mark.usefixtures("broken")
def test_a_cell_that_fails_is_told_and_the_others_go_on(ran, small):
    result = invoke(ran, "--vary", "prompts=direct", "--vary", "chains=broken,closed_uniform", "--quiet", out="failed")
    assert result.exit_code == 1
    line = next(line for line in result.stdout.splitlines() if line.strip().startswith("direct"))
    assert re.fullmatch(r"\s*direct\s+failed \(1\)\s+\d\.\d{3}\s*", line)
    reason = "ZeroDivisionError: no [chain] here (test_cli_matrix.py, line "
    assert f"(1) direct × broken: {reason}" in result.stdout
    folder = ran.folder / "failed" / "matrix-tiny-prompts-chains"
    assert r"1. direct × broken: ZeroDivisionError: no \[chain\] here" in (folder / "report.md").read_text("utf-8")
    with (folder / "results.csv").open(encoding="utf-8") as file:
        failed, fine = csv.DictReader(file)
    assert failed["failure"].startswith(reason)
    assert failed["hr@1"] == failed["run_id"] == ""
    assert fine["failure"] == ""


@pytest.mark.slow
def test_one_family_gives_one_column(ran, small):
    result = invoke(ran, "--vary", "baselines=popularity,ease", "--quiet", out="single")
    assert result.exit_code == 0, result.output
    assert re.search(r"popularity +\d\.\d{3}", result.stdout)
    report = (ran.folder / "single" / "matrix-tiny-baselines" / "report.md").read_text("utf-8")
    assert re.search(r"^\| ease +\| +\d\.\d{3} \[", report, re.MULTILINE)


def test_data_that_nobody_has_stop_the_matrix_at_once(ran):
    refused = invoke(ran, "--vary", "chains=none", "--set", "data={use: folder, name: nowhere}", out="none")
    assert refused.exit_code == 2
    assert "nowhere" in refused.stderr
    assert not (ran.folder / "none").exists()
    assert "1 of 1" not in refused.stderr
