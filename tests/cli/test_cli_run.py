"""From YAML to report, explanation and back, through the command line."""

import csv
import json
import re
from io import StringIO

import pytest
from rich.console import Console

pytestmark = pytest.mark.slow


def test_a_run_prints_its_table_and_says_where_the_report_is(ran):
    assert ran.result.exit_code == 0, ran.result.output
    for system in ("popularity", "ease", "nano, untrained", "R2Rec (nano): sft", "untaught"):
        assert system in ran.result.stdout
    assert re.search(r"R2Rec \(nano\): sft .* \d\.\d{3} \[\d\.\d{3}, \d\.\d{3}\]", ran.result.stdout)
    assert str(ran.folder / "reports" / "tiny+untaught" / "report.md") in ran.result.stdout


def test_a_narrow_terminal_cuts_no_number_off(ran, monkeypatch, tmp_path):
    monkeypatch.setattr("r2rec_bench.cli.studies.stdout", lambda: Console(width=40, file=out))
    out = StringIO()
    run_id = ran.run_ids["R2Rec (nano): sft"]
    assert ran.invoke("report", run_id, "--out", tmp_path).exit_code == 0
    assert re.search(r" \d\.\d{3} \[\d\.\d{3}, \d\.\d{3}\] .* " + run_id[:12], out.getvalue())


def test_rows_that_two_files_share_appear_once(ran):
    table = ran.report.split("## Paired")[0]
    assert table.count("| popularity ") == 1
    assert table.count("nano, untrained ") == 1
    assert "- **untaught**: What does training do?" in ran.report


def test_synthetic_data_is_shouted_in_the_terminal_and_on_top_of_the_report(ran):
    assert "SYNTHETIC DATA" in ran.result.stderr
    assert ran.report.index("SYNTHETIC DATA") < ran.report.index("| System")
    assert "The best possible HR@1 there is 0." in ran.report


def test_the_report_compares_explains_and_accounts(ran):
    assert "R2Rec (nano): sft" in ran.report.split("## Paired comparisons")[1].split("\n")[2]
    assert "+131.81 %" in ran.report
    assert "not published to us" in ran.report
    assert "comparable between general LLMs only" in ran.report
    assert re.search(r"Thought: weight [-+]?\d, forecast \d\.", ran.report)
    assert "256 questions" in ran.report
    assert re.search(r"Made by git [0-9a-f]{40}|Made by no git checkout", ran.report)
    for run_id in ran.run_ids.values():
        assert run_id[:12] in ran.report


def test_a_second_run_does_nothing_and_writes_the_same_bytes(ran):
    files = {path: path.read_bytes() for path in (ran.folder / "reports" / "tiny+untaught").iterdir()}
    again = ran.invoke(
        "run", ran.folder / "tiny.yaml", ran.folder / "untaught.yaml", "--out", ran.folder / "reports", "--quiet"
    )
    assert again.exit_code == 0
    assert again.stdout == ran.result.stdout
    assert "cached" not in again.stderr
    assert {path: path.read_bytes() for path in files} == files


def test_programs_are_told_the_same_table(ran):
    files = (ran.folder / "tiny.yaml", ran.folder / "untaught.yaml")
    done = ran.invoke("run", *files, "--out", ran.folder / "reports", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert {row["label"]: row["runs"][0] for row in told["rows"]} == ran.run_ids
    assert told["name"] == "tiny+untaught"
    assert told["failed"] == {}
    assert "SYNTHETIC DATA" in told["synthetic"]
    assert told["report"] == str(ran.folder / "reports" / "tiny+untaught" / "report.md")
    with (ran.folder / "reports" / "tiny+untaught" / "results.csv").open(encoding="utf-8") as file:
        written = {
            row["run_id"]: row for row in csv.DictReader(file) if (row["group"], row["metric"]) == ("all", "hr@1")
        }
    for row in told["rows"]:
        hit, line = row["metrics"]["hr@1"], written[row["runs"][0]]
        assert hit == {name: pytest.approx(float(line[name])) for name in ("mean", "low", "high", "n", "missing")}
    assert told["rows"][0]["metrics"]["mae"]["mean"] is None  # popularity predicts no rating
    assert re.search(r"Stages: 0 made in 0\.0 s, \d+ from the cache", done.stderr)


def test_report_renders_from_the_cache_and_makes_nothing(ran):
    again = ran.invoke("report", ran.folder / "tiny.yaml", "--out", ran.folder / "again")
    assert again.exit_code == 0
    assert "untaught" not in (ran.folder / "again" / "tiny" / "report.md").read_text("utf-8")
    refused = ran.invoke("report", ran.folder / "tiny.yaml", "--set", "seed=1", "--out", ran.folder / "again")
    assert refused.exit_code == 2
    assert "no candidates of these settings" in refused.stderr
    assert "`r2rec run` makes it" in refused.stderr


@pytest.mark.parametrize("system", ["ease", "nano, untrained", "R2Rec (nano): sft"])
def test_a_run_id_gives_a_report_of_its_own(ran, system):
    run_id = ran.run_ids[system]
    assert ran.invoke("report", run_id[:8], "--out", ran.folder / "single").exit_code == 0
    report = (ran.folder / "single" / run_id / "report.md").read_text("utf-8")
    assert f"| {system} " in report
    assert ("## Worked examples\n\nNo row" in report) == (system != "R2Rec (nano): sft")


def test_an_ablation_alone_gets_a_report_of_its_own(ran):
    alone = ran.invoke("report", ran.folder / "untaught.yaml", "--out", ran.folder / "alone")
    assert alone.exit_code == 0
    assert (ran.folder / "alone" / "untaught" / "report.md").is_file()


def test_progress_says_what_was_made_and_what_was_there(ran):
    assert re.search(r"sft: \d+ of \d+  loss \d\.\d{3}  [\d,]+ tokens/s", ran.result.stderr)
    assert re.search(r"✓ sft: \d+\.\d s", ran.result.stderr)
    again = ran.invoke("run", ran.folder / "tiny.yaml", "--out", ran.folder / "once more")
    assert re.search(r"= popularity: cached, took \d", again.stderr)
    assert "✓" not in again.stderr


def test_explain_shows_evidence_thoughts_and_verdict(ran):
    run_id = ran.run_ids["R2Rec (nano): sft"]
    listed = ran.invoke("explain", run_id[:12])
    user, rank = listed.stdout.splitlines()[1].split()
    shown = ran.invoke("explain", run_id[:12], "--user", user)
    assert shown.exit_code == 0, shown.output
    assert "Step 1: The user" in shown.stdout
    assert "Ranked 1 of 10." in shown.stdout
    assert f"ranked {rank}." in shown.stdout
    assert re.search(r"score 0\.\d{4} \(rating_interaction\)", shown.stdout)


def test_explain_refuses_unknown_users_items_runs_and_baselines(ran):
    ids = ran.run_ids
    trained = ids["R2Rec (nano): sft"]
    user = ran.invoke("explain", trained).stdout.splitlines()[1].split()[0]
    for arguments, said in (
        ((trained, "--user", f"{user}x"), f"Did you mean '{user}'?"),
        ((trained, "--user", user, "--item", "nothing"), f"is not among the candidates of user '{user}'"),
        ((ids["ease"], "--user", user), "is no run of a language model"),
        (("0123456789ab", "--user", user), "no artifact '0123456789ab'"),
    ):
        refused = ran.invoke("explain", *arguments)
        assert refused.exit_code == 2
        assert said in refused.stderr


def test_wrong_settings_are_found_before_any_work(ran):
    (ran.folder / "wrong.yaml").write_text("extends: tiny.yaml\nquestion: Why?\nchange: {chains.m: 4}\n")
    refused = ran.invoke("run", ran.folder / "tiny.yaml", ran.folder / "wrong.yaml", "--set", "seed=7")
    assert refused.exit_code == 2
    assert "Did you mean 'chains.n'?" in refused.stderr
    assert "✓" not in refused.stderr
