"""`r2rec compare` says what the report of the same runs says."""

import csv

import numpy as np
import pytest

from r2rec_bench.evaluation.results import RunResult


@pytest.fixture(scope="module")
def ids(ran) -> dict[str, str]:
    return ran.run_ids


@pytest.fixture(scope="module")
def seeded(ran) -> dict[str, list[str]]:
    """The runs of each system under two seeds."""
    out = ran.folder / "compared"
    assert ran.invoke("run", ran.folder / "tiny.yaml", "--seeds", 2, "--out", out, "--quiet").exit_code == 0
    with (out / "tiny" / "results.csv").open(encoding="utf-8") as file:
        return {row["system"]: row["run_id"].split() for row in csv.DictReader(file)}


def framed(warning: str) -> str:
    """What stands in a frame, on one line."""
    return " ".join(warning.replace("│", "").split())


def test_it_agrees_with_the_report(ran, ids):
    result = ran.invoke("compare", ids["R2Rec (nano): sft"], ids["ease"][:8])
    assert result.exit_code == 0, result.output
    (line,) = (line for line in result.stdout.splitlines() if line.startswith(" ease"))
    paired = ran.report.split("## Paired comparisons")[1]
    row = next(line for line in paired.splitlines() if line.startswith("| ease "))
    difference, interval, p, _, score = [cell.strip() for cell in row.split("|")[2:7]]
    for told in (difference, p, score):
        assert told in line.replace(f"{float(line.split()[2]):+.4f}", f"{float(line.split()[2]):+.3f}")
    ends = [f"{float(end):+.3f}" for end in line.split("[")[1].split("]")[0].split(",")]
    assert f"[{', '.join(ends)}]" == interval


def test_seeds_of_a_system_are_joined_by_commas(ran, seeded):
    trained, ease = ",".join(seeded["R2Rec (nano): sft"]), seeded["ease"]
    result = ran.invoke("compare", trained, seeded["popularity"][0], "--metric", "ndcg@10")
    assert result.exit_code == 0, result.output
    assert "×2): ndcg@10" in result.stdout
    again = ran.invoke("compare", f"{trained},{ease[0]}", ",".join(ease))
    assert "the seeds of one system stand together" in again.stderr
    twice = ran.invoke("compare", f"{ease[0]},{ease[0]}", ",".join(seeded["popularity"]))
    assert "one run per seed" in twice.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "a comparison needs two systems; got 1"),
        (["zz"], "no artifact 'zz'"),
        (["EASE", "--metric", "hr@2"], "unknown metric 'hr@2'"),
    ],
)
def test_what_cannot_be_compared(ran, ids, arguments, said):
    given = [ids["ease"] if argument == "EASE" else argument for argument in arguments]
    result = ran.invoke("compare", ids["R2Rec (nano): sft"], *given)
    assert result.exit_code != 0
    assert said in result.stderr


def test_runs_on_other_lists_are_told_apart(ran, ids):
    changes = ["--set", "seed=7", "--set", "stages=[]"]
    other = ran.invoke("run", ran.folder / "tiny.yaml", *changes, "--out", ran.folder / "other", "--quiet")
    assert other.exit_code == 0, other.output
    (found,) = (ran.folder / "other").rglob("results.csv")
    with found.open(encoding="utf-8") as file:
        run = next(row["run_id"] for row in csv.DictReader(file) if row["system"] == "ease")
    result = ran.invoke("compare", ids["ease"], run)
    assert result.exit_code == 2
    assert "asked otherwise" in result.stderr
    assert "lists of seed 7" in framed(result.stderr)


def test_runs_of_the_same_users_on_other_negatives_are_told_apart(ran, ids):
    changes = ["--set", "candidates.n=4", "--set", "stages=[]", "--set", "baselines=[ease]", "--set", "untrained=false"]
    other = ran.invoke("run", ran.folder / "tiny.yaml", *changes, "--out", ran.folder / "fewer", "--quiet")
    assert other.exit_code == 0, other.output
    with (ran.folder / "fewer" / "tiny" / "results.csv").open(encoding="utf-8") as file:
        run = next(csv.DictReader(file))["run_id"]
    result = ran.invoke("compare", ids["ease"], run)
    assert result.exit_code == 2
    assert "1 positive + 4 uniform negatives" in framed(result.stderr)


def test_less_is_better_of_an_error(ran, ids, seeded):
    store = ran.folder / "cache" / "artifacts" / "baseline"
    a, b = (next(store.glob(f"{ids[name]}*")) for name in ("ease", "popularity"))
    assert np.isnan(RunResult.load(a).users.values("mae")).all()
    assert "nothing to compare" in ran.invoke("compare", a.name, b.name, "--metric", "mae").stderr.replace("\n", " ")
    runs = seeded["R2Rec (nano): sft"]
    a, b = (RunResult.load(store.with_name("evaluation") / run) for run in runs)
    wins = int((a.users.values("mae") < b.users.values("mae")).sum())
    result = ran.invoke("compare", *runs, "--metric", "mae")
    assert f" {wins} / " in result.stdout, result.output
