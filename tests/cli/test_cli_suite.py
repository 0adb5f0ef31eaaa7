"""Ablations under several seeds, side by side in processes, and what a failing one does."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from r2rec_bench.evaluation.results import RunResult

VARIED = "extends: tiny.yaml\nquestion: How many?\nvary: {stages.sft.epochs: [1, 3]}\n"
BROKEN = "extends: tiny.yaml\nquestion: What if?\nchange: {candidates.n: 200}\n"


@pytest.fixture(scope="module")
def suite(ran) -> Path:
    """One experiment, an ablation of two values and one that fails, under two seeds in two processes."""
    for name, text in (("length", VARIED), ("broken", BROKEN)):
        (ran.folder / f"{name}.yaml").write_text(text)
    files = [ran.folder / f"{name}.yaml" for name in ("tiny", "length", "broken")]
    out = ran.folder / "suite"
    result = ran.invoke("run", *files, "--seeds", 2, "--workers", 2, "--name", "suite", "--out", out, "--quiet")
    assert result.exit_code == 1, result.output
    assert "broken, seed 0 failed" in result.stderr
    return out / "suite"


def rows(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "results.csv").open(encoding="utf-8") as file:
        return {row["system"]: row for row in csv.DictReader(file) if (row["group"], row["metric"]) == ("all", "hr@1")}


def test_an_ablation_has_a_row_per_value_and_the_failed_one_a_reason(suite):
    assert list(rows(suite)) == ["popularity", "ease", "nano, untrained", "R2Rec (nano): sft", "length 1", "length 3"]
    report = (suite / "report.md").read_text("utf-8")
    assert "- **length 1**: How many?" in report
    # The values in their order, the experiment's own among them, after the full model.
    section = report.split("## Ablations")[1].split("\n## ")[0]
    body = [line.split("|")[1].strip() for line in section.splitlines() if line[:1] == "|"]
    assert body[2:] == ["R2Rec (nano): sft (full model)", "length 1", "length 2 (full model)", "length 3"]
    assert "n = 30 users, 2 seeds (0, 1)" in report


def test_figures_and_tables_for_papers_lie_beside_the_report(suite):
    assert {path.name for path in suite.iterdir()} == {
        *("report.md", "results.csv", "results.tex", "ablations.tex", "cost.tex"),
        *("ablations.svg", "values.svg", "tokens.svg", "training.svg"),
    }
    report = (suite / "report.md").read_text("utf-8")
    assert set(re.findall(r"\]\((\S+\.svg)\)", report)) == {path.name for path in suite.glob("*.svg")}


def test_a_reason_is_given_for_what_failed(suite):
    report = (suite / "report.md").read_text("utf-8")
    assert "**broken failed**: seed 1: " in report or "**broken failed**: seed 0: " in report


def test_a_value_is_the_mean_over_seeds_of_the_same_users(suite, ran):
    row = rows(suite)["length 1"]
    assert row["seed"] == "0 1"
    store = ran.folder / "cache" / "artifacts" / "evaluation"
    results = [RunResult.load(store / run_id) for run_id in row["run_id"].split()]
    assert [result.seed for result in results] == [0, 1]
    assert results[0].users.user_ids == results[1].users.user_ids
    assert results[0].users.item_ids == results[1].users.item_ids
    assert float(row["mean"]) == pytest.approx(np.mean([result.mean("hr@1") for result in results]))
    assert int(row["n"]) == len(results[0].users)


def test_the_first_seed_is_the_run_of_a_single_seed(suite, ran):
    assert rows(suite)["R2Rec (nano): sft"]["run_id"].split()[0] == ran.run_ids["R2Rec (nano): sft"]


def test_one_process_gives_the_same_report(suite, ran):
    out = ran.folder / "alone"
    files = [ran.folder / f"{name}.yaml" for name in ("tiny", "length", "broken")]
    assert ran.invoke("run", *files, "--seeds", 2, "--name", "suite", "--out", out, "--quiet").exit_code == 1
    assert (out / "suite" / "results.csv").read_bytes() == (suite / "results.csv").read_bytes()
    files.pop()
    files_before = {path.name: path.read_bytes() for path in (out / "suite").iterdir()}
    assert files_before["training.svg"] == (suite / "training.svg").read_bytes()
    assert ran.invoke("report", *files, "--seeds", 2, "--name", "suite", "--out", out).exit_code == 0
    assert all(
        files_before[name] == (out / "suite" / name).read_bytes() for name in files_before if name != "report.md"
    )
    assert (out / "suite" / "results.csv").read_bytes() == (suite / "results.csv").read_bytes()
