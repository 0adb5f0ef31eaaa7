"""A whole study through the command line: interrupted once, gone on with, and looked into."""

import csv
import json
import math
import re
from collections import Counter

import numpy as np
import pytest
from scipy.stats import binomtest
from statsmodels.stats.multitest import multipletests

from r2rec_bench.core.store import Artifact
from r2rec_bench.core.watch import Silent
from r2rec_bench.data.store import META
from r2rec_bench.evaluation.results import RunResult
from r2rec_bench.files import MODEL, TRACES
from r2rec_bench.llm.base import Checkpoint
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.pipeline import Pipeline
from r2rec_bench.report.study import lineage
from r2rec_bench.traces.store import read_traces
from r2rec_bench.transfer import run as under_test
from r2rec_bench.transfer.cells import Way, cells
from r2rec_bench.transfer.gains import gains
from r2rec_bench.transfer.learning import Learner
from r2rec_bench.transfer.records import records
from r2rec_bench.transfer.run import run

pytestmark = pytest.mark.slow

FEW = "then 5 users of the target"


@pytest.fixture(scope="session")
def done(carried):
    return carried.done()


@pytest.fixture(scope="session")
def pipelines(carried):
    return carried.pipelines()


@pytest.fixture(scope="session")
def rows(carried):
    with (carried.report / "results.csv").open(encoding="utf-8") as file:
        return {(row["row"], row["target"]): row for row in csv.DictReader(file)}


@pytest.fixture(scope="session")
def report(carried):
    return (carried.report / "report.md").read_text("utf-8")


def traces_behind(carried, artifact: Artifact) -> dict[str, Artifact]:
    """The traces that a run goes back to, by the domain of the data that they are about; mixed ones as `mixed`."""
    found: dict[str, Artifact] = {}
    domain = {"domain movies": "movies", "shop": "shop", "domain electronics": "electronics"}
    for made in lineage(carried.store, [artifact]):
        if made.stage == "traces":
            data = [one for one in carried.store.inputs(made) if one.stage == "data"]
            text = (data[0].path / META).read_text("utf-8") if data else ""
            found[next((name for sign, name in domain.items() if sign in text), "mixed")] = made
    return found


def test_the_command_goes_on_where_it_was_interrupted(carried):
    assert carried.interrupted.exit_code == 130
    assert "the same command goes on from there" in carried.interrupted.output
    assert carried.result.exit_code == 0, carried.result.output
    assert "= sft: cached" in carried.result.stderr  # the one training that had ended


def test_both_times_are_logged_and_why_the_first_ended(carried):
    logs = sorted((carried.folder / "cache" / "logs").glob("*-transfer-*.jsonl"))
    events = [json.loads(line) for log in logs for line in log.read_text("utf-8").splitlines()]
    assert [event["failure"] for event in events if event["event"] == "close"][:2] == ["KeyboardInterrupt: ", ""]


def test_nothing_is_trained_or_asked_twice(carried, done):
    """Each domain, the others of each, and 5 users of each after no source and after two: 3 + 3 + 3 + 6."""
    stages = Counter(artifact.stage for artifact in carried.store)
    assert stages["sft"] == 15
    assert carried.trainings == 15 + 1  # the one that was interrupted
    assert stages["traces"] == 3 + 3 + 3
    assert stages["candidates"] == stages["audit"] == stages["data"] == 3
    assert len(carried.rankings) == len(done) == 27
    assert len({one.row.result.run_id for one in done.values()}) == 27


def test_given_again_nothing_is_done_and_the_same_is_written(carried):
    before = {path.name: path.read_bytes() for path in carried.report.iterdir()}
    assert set(before) == {"report.md", "results.csv", "results.tex", "heat-map.svg"}
    again = carried.invoke("transfer", carried.folder / "worlds.yaml", "--out", carried.folder / "reports")
    assert "✓" not in again.stderr
    assert again.stdout == carried.result.stdout
    assert {path.name: path.read_bytes() for path in carried.report.iterdir()} == before


def test_the_diagonal_is_what_an_ordinary_run_gives(done, pipelines):
    pipeline = pipelines["electronics"]
    ordinary = [row.result.run_id for row in pipeline.run()]
    found = [done[label, "electronics"].row.result.run_id for label in ("popularity", "no training", "electronics")]
    assert found == ordinary


@pytest.mark.parametrize(("source", "target"), [("movies", "shop"), ("shop", "electronics")])
def test_zero_shot_is_the_sources_checkpoint_asked_the_targets_lists(carried, pipelines, source, target):
    pipeline, learner = pipelines[target], pipelines[source]
    trained = learner.trained(learner.experiment.stages)
    model = LanguageModel.load(Checkpoint(trained.path / MODEL), pipeline.asking.model.load_options())
    by_hand = pipeline.experiment.ranker.build().rank(model, pipeline.asked[0], pipeline.asking.reader, lambda *_: None)
    # Cells are asked in order, each once.
    told = dict(zip([(cell.label, cell.target) for cell in cells(carried.planned())], carried.rankings, strict=True))
    assert by_hand.valid.mean() > 0.9
    assert np.array_equal(told[source, target].scores, by_hand.scores)
    assert not np.array_equal(told[target, target].scores, by_hand.scores)
    assert told[source, target].cases == by_hand.cases


def test_a_model_goes_back_to_the_traces_of_its_sources_alone(carried, done):
    def behind(label: str) -> set[str]:
        return set(traces_behind(carried, done[label, "shop"].row.artifact))

    assert behind("no training") == behind("popularity") == set()
    assert behind("shop") == behind("5 users of the target alone") == {"shop"}
    assert behind("movies") == {"movies"}
    assert behind("all others") == {"movies", "electronics", "mixed"}
    assert behind(f"electronics, {FEW}") == {"electronics", "shop"}


def test_all_of_a_column_answer_the_same_lists(carried, done):
    for target in ("movies", "shop", "electronics"):
        column = [one.row for (_, asked), one in done.items() if asked == target]
        lists = {one.fingerprint for row in column for one in carried.store.inputs(row.artifact)[:2]}
        assert len(lists) == 2  # data, candidates
        assert len({(row.result.users.user_ids, row.result.users.item_ids) for row in column}) == 1


@pytest.mark.parametrize("label", ["5 users of the target alone", f"movies, {FEW}"])
def test_few_shot_users_are_the_same_for_all_and_never_asked_about(carried, done, pipelines, label):
    traces = read_traces(traces_behind(carried, done[label, "shop"].row.artifact)["shop"].path / TRACES)
    users = {trace.query.user for trace in traces}
    asked = {query.user for query in pipelines["shop"].candidate_lists.queries}
    assert 1 < len(users) <= 5
    assert len(traces) == 5 * 8
    assert not users & asked
    assert users <= set(np.flatnonzero(np.diff(pipelines["shop"].dataset.log.offsets()) > 2).tolist())


def test_a_few_shot_model_starts_from_the_sources_last_checkpoint(carried, done, pipelines):
    checkpoint = carried.store.inputs(done[f"movies, {FEW}", "shop"].row.artifact)[-1]
    before = carried.store.inputs(checkpoint)[0]
    assert before.fingerprint == pipelines["movies"].trained(pipelines["movies"].experiment.stages).fingerprint


def test_many_sources_are_mixed_in_equal_parts(carried, done):
    behind = traces_behind(carried, done["all others", "shop"].row.artifact)
    mixed, *parts = (read_traces(behind[name].path / TRACES) for name in ("mixed", "movies", "electronics"))
    n = min(map(len, parts))
    assert len(mixed) == n
    halves = [part[: -(-n // 2) if place == 0 else n // 2] for place, part in enumerate(parts)]
    assert Counter(map(repr, mixed)) == Counter(repr(trace) for half in halves for trace in half)
    assert mixed[: len(halves[0])] != halves[0]
    stages = [cost.stage for cost in done["all others", "shop"].row.result.stages]
    assert stages == ["traces", "traces", "traces", "sft", "evaluation"]  # both sources' took their time too


def test_all_domains_put_the_same_question_rated_or_not(carried, done, pipelines):
    assert len({repr(pipeline.asking_settings()) for pipeline in pipelines.values()}) == 1
    learnt = {name: {trace.answer for trace in read_traces(pipelines[name].traces.path / TRACES)} for name in pipelines}
    assert learnt["shop"] == {0, 5}  # never touched, touched
    assert {0} < learnt["movies"] <= {0, 1, 2, 3, 4, 5}
    for source in ("movies", "shop"):
        assert done[source, "electronics"].row.result.users.metrics["hr@1"].mean() > 0


def test_a_cell_says_what_its_run_says(carried, rows, done):
    assert list(rows) == [(cell.label, cell.target) for cell in cells(carried.planned())]
    for place, row in rows.items():
        result = RunResult.load(carried.store.find(row["run_id"]).path)
        assert float(row["hr"]) == result.mean("hr@1") == done[place].hr.mean
        assert int(row["n"]) == len(result.users) == 40
        assert row["failure"] == ""


def test_gains_are_over_the_untrained_model_on_the_same_users(rows, done):
    for (label, target), row in rows.items():
        if row["way"] in {Way.UNTRAINED, Way.BASELINE}:
            assert row["gain"] == ""
        else:
            expected = float(row["hr"]) - float(rows["no training", target]["hr"])
            assert float(row["gain"]) == pytest.approx(expected)
            assert (row["established"] == "true") == (float(rows[target, target]["gain_low"]) > 0)
            if row["established"] == "true" and label != target:
                assert float(row["share"]) == pytest.approx(expected / float(rows[target, target]["gain"]))
            elif row["established"] == "false":
                assert row["share"] == row["share_low"] == ""


def test_the_report_shows_every_cell_and_what_it_means(report, rows):
    for row in rows.values():
        shown = f"[{float(row['low']):.3f}, {float(row['high']):.3f}]"
        assert shown in report
        assert row["run_id"][:12] in report
    assert f"**{float(rows['shop', 'shop']['hr']):.3f}** [" in report
    tables = report.partition("## How the models")[0]
    assert tables.count(r"shop: a \|stand-in\| without ratings.") == 3  # below each table
    assert tables.count(r"a \|stand-in\| without ratings.") == 3 + 1  # and with its data
    assert "- movies: {use: synthetic" in report.replace("\\", "")
    assert "1 positive + 4 uniform negatives; ties lose; lists of seed 0. SYNTHETIC DATA. n = 40 users." in report
    assert "has learnt to read chains on synthetic worlds" in report
    assert "SYNTHETIC DATA. movies, electronics was measured in generated worlds" in report.split("\n## ")[0]
    assert "No alarms." in report


def test_the_table_for_latex_has_the_notes_and_escapes_titles(carried, rows):
    text = (carried.report / "results.tex").read_text("utf-8")
    row = rows["shop", "electronics"]
    assert f"{float(row['hr']):.3f} [{float(row['low']):.3f}, {float(row['high']):.3f}]" in text
    assert rf"\textbf{{{float(rows['movies', 'movies']['hr']):.3f}}} [" in text
    [caption] = re.findall(r"\\caption\{(.*)\}", text)
    assert caption.startswith("Does what was learnt in one world help in another? HR@1.")
    assert r"shop: a \textbar{}stand-in\textbar{} without ratings." in caption
    assert caption.count("1 positive + 4 uniform negatives; ties lose; lists of seed 0.") == 3
    assert caption.count("n = 40 users.") == 3
    assert text.count(r" \\") == 1 + 10
    assert text.count(" & ") == 3 * (1 + 10)
    assert r"\begin{tabular}{lrrr}" in text


def test_the_terminal_shows_both_tables_and_the_note(carried, rows):
    shown = [line.split() for line in carried.result.stdout.splitlines()]
    line = next(words for words in shown if words[:1] == ["shop"])
    assert line[1:] == [f"{float(rows['shop', target]['hr']):.3f}" for target in ("movies", "shop", "electronics")]
    assert "shop: a |stand-in| without ratings." in carried.result.stdout


def test_a_cell_that_fails_is_told_and_the_others_go_on(carried, monkeypatch):
    def broken(sources, seed):
        raise ZeroDivisionError("no [mix] here")

    monkeypatch.setattr(under_test, "mixed_traces", broken)
    out = carried.folder / "failed"
    result = carried.invoke("transfer", carried.folder / "worlds.yaml", "--out", out, "--quiet")
    assert result.exit_code == 1
    assert "(2) all others → shop: ZeroDivisionError: no [mix] here (test_transfer_run.py, line " in result.stdout
    said = (out / "worlds" / "report.md").read_text("utf-8")
    assert r"3. all others → electronics: ZeroDivisionError: no \[mix\] here" in said
    line = next(line for line in said.splitlines() if line.startswith("| all others"))
    assert [cell.strip() for cell in line.split("|")[2:5]] == ["failed (1)", "failed (2)", "failed (3)"]
    with (out / "worlds" / "results.csv").open(encoding="utf-8") as file:
        failed = [row for row in csv.DictReader(file) if row["failure"]]
    assert {(row["row"], row["hr"], row["run_id"]) for row in failed} == {("all others", "", "")}


def test_shares_of_a_failed_in_domain_run_are_not_made_up(carried):
    every = run(carried.planned(), carried.store, Silent(), lambda *_: None)
    left = [one for one in every if one.cell.way is not Way.IN_DOMAIN]
    assert gains(left) == {}
    assert all(math.isnan(one.share) and math.isnan(one.gain) for one in records(left))


def test_a_learner_trains_as_its_source_does(carried, pipelines):
    source, target = pipelines["movies"], pipelines["shop"]
    learner = Learner(target, [source.traces])
    assert isinstance(learner, Pipeline)
    stages = source.experiment.stages
    assert learner.trained(stages).fingerprint == source.trained(stages).fingerprint


def test_a_gain_has_the_p_value_of_users_whose_signs_are_thrown_corrected_over_all(rows, done):
    trained = {place: row for place, row in rows.items() if row["p_value"]}
    assert set(trained) == {place for place, row in rows.items() if row["gain"]}
    for (label, target), row in trained.items():
        mine, before = (done[name, target].row.values("hr@1")[:, 0] for name in (label, "no training"))
        better, worse = int((mine > before).sum()), int((mine < before).sum())
        exact = binomtest(min(better, worse), better + worse).pvalue if better + worse else 1.0
        assert float(row["p_value"]) == pytest.approx(exact, abs=0.02)
    plain, adjusted = (np.array([float(row[name]) for row in trained.values()]) for name in ("p_value", "adjusted"))
    assert adjusted == pytest.approx(multipletests(plain, method="holm")[1])


def test_under_several_seeds_every_model_is_trained_anew_and_asked_the_same(carried, rows):
    """Seed 0 is in the store; only the three domains, so that three models are added."""
    out = carried.folder / "seeds"
    before = Counter(artifact.stage for artifact in carried.store)
    settings = ("--set", "seeds=2", "--set", "few_shot=null", "--set", "multi_source=false")
    result = carried.invoke("transfer", carried.folder / "worlds.yaml", "--out", out, *settings)
    assert result.exit_code == 0, result.output
    after = Counter(artifact.stage for artifact in carried.store)
    assert (after["sft"] - before["sft"], after["candidates"] - before["candidates"]) == (3, 0)
    assert "15 of 15: popularity → electronics, seed 1" in result.stderr
    planned = carried.planned("seeds=2", "few_shot=null", "multi_source=false")
    done = run(planned, carried.store, Silent(), lambda *_: None)
    with (out / "worlds" / "results.csv").open(encoding="utf-8") as file:
        told = list(csv.DictReader(file))
    for one, row in zip(done, told, strict=True):
        first, second = one.row.results
        assert (first.seed, second.seed, row["seeds"]) == (0, 1, "2")
        assert first.run_id == row["run_id"] == rows[row["row"], row["target"]]["run_id"]
        assert first.users.item_ids == second.users.item_ids
        assert first.protocol == second.protocol
        assert float(row["hr"]) == pytest.approx((first.mean("hr@1") + second.mean("hr@1")) / 2)
    report = (out / "worlds" / "report.md").read_text("utf-8")
    assert "n = 40 users, 2 seeds (0, 1): values are means over users and seeds." in report
    assert f"{told[0]['run_id'][:12]} ×2" in report
    assert "t interval of the seeds' means" in (out / "worlds" / "results.tex").read_text("utf-8")
