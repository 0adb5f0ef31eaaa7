"""`r2rec traces`: annotating, going on, and taking traces out of a run and in again."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from r2rec_bench.cli.app import app
from tests.worlds import write_tiny

STEPS = 2


@pytest.fixture
def invoke(tmp_path):
    def run(*arguments, typed=""):
        places = {"R2REC_CACHE": str(tmp_path / "cache"), "R2REC_DATA": str(tmp_path)}
        return CliRunner(env=places).invoke(app, [str(argument) for argument in arguments], input=typed)

    return run


@pytest.fixture
def experiment(tmp_path):
    def write(chains: str = "closed_uniform", **changes) -> Path:
        return write_tiny(
            tmp_path,
            candidates={"n": 5, "users": 5},
            chains={"use": chains, "evidence": "bundle", "order": "forward"},
            queries={"n": 40, "latest": 1},
            stages=[],
            baselines=[],
            **changes,
        )

    return write


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "human.jsonl"


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def answer(weight: object = 1, forecast: object = 4, text: str = "") -> str:
    return f"{weight}\n{forecast}\n{text}\n"


def test_what_is_typed_is_what_is_kept(invoke, experiment, out):
    typed = (
        answer(2, 5, "They went on to it.") + answer(-1, 3) + answer(0, 0, "Nobody knows.") + answer(1, 4, "Many do.")
    )
    result = invoke("traces", "annotate", experiment(), "--out", out, "--n", 2, typed=typed)
    assert result.exit_code == 0, result.output
    first, second = lines(out)
    assert [(said["weight"], said["forecast"]) for said in first["thoughts"]] == [(2, 5), (-1, 3)]
    assert first["thoughts"][0]["text"] == "They went on to it."
    assert first["thoughts"][1]["text"] == first["pieces"][1].removeprefix("Step 2: ")  # Enter alone
    assert [said["text"] for said in second["thoughts"]] == ["Nobody knows.", "Many do."]
    assert "2 of 2 lines" in result.output


def test_later_pieces_are_masked_until_their_step_and_the_truth_comes_last(invoke, experiment, out):
    result = invoke("traces", "annotate", experiment(), "--out", out, "--n", 1, typed=answer() * STEPS)
    said = " ".join(result.output.split())
    pieces = [" ".join(piece.split()) for piece in lines(out)[0]["pieces"]]
    before, after = said.split("Step 2: [MASK]")
    assert pieces[0] in before
    assert pieces[1] not in before
    assert pieces[1] in after
    truth = re.search(r"The user (did not interact with it|rated it [1-5])\.", said)
    assert truth.start() > said.rindex("In your words")


def test_it_goes_on_where_it_stopped(invoke, experiment, out):
    arguments = ("traces", "annotate", experiment(), "--out", out, "--n", 3)
    stopped = invoke(*arguments, typed=answer() * STEPS + "1\nq\n")
    assert stopped.exit_code == 0
    assert "1 of 3 lines" in stopped.output
    ended = invoke(*arguments, typed=answer() * STEPS)  # the input ends
    assert "2 of 3 lines" in ended.output
    done = invoke(*arguments, typed=answer() * STEPS)
    assert "3 of 3 lines" in done.output
    assert "1 of 3:" not in done.output
    assert len({(line["user"], line["item"], line["position"]) for line in lines(out)}) == 3
    assert "3 of 3 lines" in invoke(*arguments).output


def test_another_seed_asks_other_questions_and_a_skipped_one_is_followed_by_the_next(invoke, experiment, out, tmp_path):
    arguments = ("traces", "annotate", experiment(), "--n", 1)
    invoke(*arguments, "--out", out, typed=answer() * STEPS)
    invoke(*arguments, "--out", tmp_path / "skipped.jsonl", typed="s\n" + answer() * STEPS)
    invoke(*arguments, "--out", tmp_path / "other.jsonl", "--seed", 1, typed=answer() * STEPS)
    keys = [lines(path)[0]["pieces"] for path in (out, tmp_path / "skipped.jsonl", tmp_path / "other.jsonl")]
    assert keys[0] != keys[1]
    assert keys[0] != keys[2]


def test_b_goes_back_one_entry_and_what_cannot_be_is_asked_again(invoke, experiment, out):
    typed = (
        "b\n3\nstrong\n1\n"  # nothing to go back to; out of range; no number; the weight
        "6\n4\n"  # out of range; the forecast
        "b\n2\n"  # the forecast again
        'It is like "Nosferatu".\nFine.\n'  # not revealed; the words
        "b\nb\nb\n-2\n5\nBetter.\n"  # all of step 1 again
    ) + answer(0, 1)
    result = invoke("traces", "annotate", experiment(), "--out", out, "--n", 1, typed=typed)
    assert result.exit_code == 0, result.output
    assert "Expected one of -2, -1, 0, 1, 2; got '3'." in result.output
    assert "got 'strong'" in result.output
    assert "Expected one of 0, 1, 2, 3, 4, 5; got '6'." in result.output
    assert 'Not revealed by this step: "Nosferatu".' in result.output
    [line] = lines(out)
    assert line["thoughts"][0] == {"step": 1, "weight": -2, "forecast": 5, "text": "Better."}


def test_hostile_titles_cannot_write_to_the_terminal(invoke, experiment, out, tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    users, items = 12, 8
    pairs = [(f"u[red]{u}", f"i[red]{(u * 3 + k) % items}", k) for u in range(users) for k in range(5)]
    columns = {
        "user_id": [user for user, _, _ in pairs],
        "item_id": [item for _, item, _ in pairs],
        "rating": pa.array([4.0] * len(pairs), pa.float32()),
        "timestamp": pa.array([1_000_000 + time for *_, time in pairs], pa.int64()),
    }
    pq.write_table(pa.table(columns), folder / "interactions.parquet")
    titles = {
        "item_id": [f"i[red]{k}" for k in range(items)],
        "title": [f"\x1b]0;p\x07[bold]{k}\u202e" for k in range(items)],
    }
    pq.write_table(pa.table(titles), folder / "items.parquet")
    result = invoke("traces", "annotate", experiment(data="shop"), "--out", out, "--n", 1, typed=answer() * STEPS)
    assert result.exit_code == 0, result.output
    assert "i[red]" in result.output
    assert not [letter for letter in result.output if not letter.isprintable() and letter != "\n"]
    assert "[bold]" not in lines(out)[0]["pieces"][0]  # the wording has made it harmless already


def test_what_has_no_steps_cannot_be_annotated(invoke, experiment, out):
    refused = invoke("traces", "annotate", experiment(prompts="direct"), "--out", out)
    assert refused.exit_code == 2
    assert "prompts.use is 'direct', which has no steps to think about" in refused.output
    bare = invoke("traces", "annotate", experiment(chains="none"), "--out", out)
    assert "0 of 20 lines" in bare.output


def test_a_file_that_is_not_of_lines_is_not_added_to(invoke, experiment, out):
    out.write_text("{}\n")
    refused = invoke("traces", "annotate", experiment(), "--out", out)
    assert refused.exit_code == 2
    assert "human.jsonl:1: user: required, but missing" in refused.output
    assert out.read_text() == "{}\n"


def test_a_real_process_is_interrupted_without_losing_a_line(experiment, out, tmp_path):
    """Its input stays open: it is killed while it waits for an entry."""
    places = {"R2REC_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", "from r2rec_bench.cli import main; main()", "traces", "annotate"]
    process = subprocess.Popen(
        [*command, str(experiment()), "--out", str(out), "--n", "2"],
        env=os.environ | places,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    process.stdin.write(answer(2, 5, "Sure.") * STEPS)
    process.stdin.flush()
    for said in process.stdout:
        if said.startswith("2 of 2: user"):
            break
    process.kill()
    process.communicate()
    assert [said["text"] for said in lines(out)[0]["thoughts"]] == ["Sure.", "Sure."]


def test_what_a_run_learnt_from_teaches_the_same_again(ran, tmp_path):
    run = ran.run_ids["R2Rec (nano): sft"]
    out = tmp_path / "traces.jsonl"
    exported = ran.invoke("traces", "export", run, "--out", out)
    assert exported.exit_code == 0, exported.output
    assert f"{len(lines(out))} lines in" in exported.output
    again = ran.invoke("traces", "export", run, "--out", out)
    assert (again.exit_code, "exists; name a file that does not" in again.output) == (2, True)

    from r2rec_bench.cli.traces import _traces_of
    from r2rec_bench.core.loading import load
    from r2rec_bench.core.store import ArtifactStore
    from r2rec_bench.core.watch import Silent
    from r2rec_bench.experiment import Experiment
    from r2rec_bench.pipeline import Pipeline
    from r2rec_bench.traces.store import read_traces

    store = ArtifactStore(ran.folder / "cache" / "artifacts")
    learnt = _traces_of(store, run)
    told = load(ran.folder / "tiny.yaml", Experiment, [f"teacher=file:{out}"]).value
    taught = Pipeline(told, store, Silent()).traces
    assert taught.fingerprint != learnt.fingerprint
    assert read_traces(taught.path / "traces.parquet") == read_traces(learnt.path / "traces.parquet")


def test_a_baseline_has_no_traces_to_export(ran, tmp_path):
    refused = ran.invoke("traces", "export", ran.run_ids["ease"], "--out", tmp_path / "t.jsonl")
    assert refused.exit_code == 2
    assert "was made without traces; name a run that was trained" in refused.output
