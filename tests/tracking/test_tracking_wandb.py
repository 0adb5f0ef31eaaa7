"""Weights & Biases: what a real offline run holds, and a W&B that fails in every way without stopping anything."""

import sys
import threading
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace

import pytest
import yaml
from typer.testing import CliRunner

from r2rec_bench.cli.app import app
from r2rec_bench.core.errors import InputError, R2RecError
from r2rec_bench.core.loading import load
from r2rec_bench.experiment import Experiment
from r2rec_bench.sweep import study
from r2rec_bench.testing.models import small_nano
from r2rec_bench.tracking import wandb as under_test
from r2rec_bench.tracking.wandb import WandbTracker, metric_name
from tests.worlds import write_tiny

SWEEP = {
    "extends": "tiny.yaml",
    "name": "find",
    "question": "Which learning rate?",
    "trials": 2,
    "search": {"stages.sft.lr": {"low": 1e-4, "high": 1e-2, "log": True}},
}
SETTINGS = {
    "backbone": {"use": "nano"},
    "chains": {"use": "recent"},
    "prompts": {"use": "direct"},
    "stages": [{"use": "sft", "lr": 0.1}, {"use": "sft", "lr": 0.2}],
}


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """An environment that says nothing of W&B."""
    for name in ("WANDB_MODE", "WANDB_DIR", "WANDB_PROJECT", "WANDB_SWEEP_ID", "WANDB_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("R2REC_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture
def tiny(offline):
    (offline / "sweep.yaml").write_text(yaml.safe_dump(SWEEP))
    return write_tiny(
        offline,
        candidates={"users": 10},
        backbone={"weights": str(small_nano().path)},
        stages=[{"use": "sft", "lr": 1e-2, "batch_size": 16}],
        untrained=False,
        ranker={"max_thought_tokens": 8},
    )


def invoke(*arguments):
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    return done


@pytest.mark.slow
def test_a_run_has_a_wandb_run_for_each_training_and_each_row(tiny, offline_runs):
    done = invoke("run", tiny, "--out", tiny.parent / "out", "--track", "wandb")
    assert f"W&B: {tiny.parent / 'wandb'}\n" in done.stderr
    runs = offline_runs(tiny.parent / "wandb")
    assert [(run.job, run.name) for run in runs] == [
        ("evaluation", "tiny: popularity"),
        ("sft", "tiny: sft"),
        ("evaluation", "tiny: R2Rec (nano): sft"),
    ]
    written = load(tiny, Experiment).value.model_dump(mode="json")
    for run in runs:
        assert run.group == "tiny"
        assert run.tags == ["nano", "closed_uniform", "progressive_mask", "sft"]
        assert {key: run.config[key] for key in written} == written
        assert run.exit_code == 0
    steps = [row["sft/step"] for row in runs[1].history]
    assert steps == list(range(1, steps[-1] + 1))
    assert all(row["sft/loss"] > 0 and row["sft/tokens_per_second"] > 0 for row in runs[1].history)
    assert runs[1].summary["sft/seconds"] > 0
    table = (tiny.parent / "out" / "tiny" / "results.csv").read_text()
    assert runs[2].summary["run_id"] in table
    assert 0 <= runs[2].summary["hr_at_1"] <= runs[2].summary["ndcg_at_10"] <= 1


@pytest.mark.slow
def test_a_wandb_agents_command_runs_one_trial_under_its_run(tiny, offline_runs, monkeypatch):
    """W&B's own code puts the values that it has sampled into the command that we export."""
    from wandb.sdk.launch.sweeps.utils import create_sweep_command, create_sweep_command_args

    exported = tiny.parent / "wandb-sweep.yaml"
    invoke("sweep", tiny.parent / "sweep.yaml", "--export-wandb", exported)
    config = yaml.safe_load(exported.read_text())
    parts = create_sweep_command_args({"args": {"stages.sft.lr": {"value": 0.0012345}}})
    known = {**parts, "env": ["/usr/bin/env"], "program": [config["program"]]}
    command = [
        argument
        for part in create_sweep_command(config["command"])
        for argument in (known[part[2:-1]] if part.startswith("${") else [part])
    ]
    assert command[:3] == ["/usr/bin/env", "r2rec", "sweep"]
    monkeypatch.setenv("WANDB_SWEEP_ID", "abcdefgh")
    monkeypatch.setenv("WANDB_RUN_ID", "given123")
    monkeypatch.setenv("WANDB_MODE", "offline")  # W&B's choice would be online
    done = invoke(*command[2:])
    [run] = offline_runs(tiny.parent / "wandb")
    assert (run.run_id, run.group, run.job) == ("given123", "find", "trial")
    assert run.config["stages"][0]["lr"] == 0.00123
    assert run.config["candidates"]["fold"] == "validation"
    assert f"ndcg@10 {run.summary[config['metric']['name']]:.4f}\n" in done.stdout
    assert any(config["metric"]["name"] in row for row in run.history)
    assert not (tiny.parent / "reports").exists()


class Trials:
    """A pipeline that tells its watcher of known figures; the second trial fails."""

    def __init__(self, experiment, store, watcher, datasets):
        self.experiment, self.watcher = experiment, watcher

    def stages(self):
        self.watcher.open(self.experiment.name, self.experiment.model_dump(mode="json"))
        self.watcher.begin("sft")
        self.watcher.progress(1, 1, {"loss": 0.5})
        if self.experiment.name == "find-trial-1":
            raise R2RecError("sft: loss is nan at step 2")
        self.watcher.end("sft", 1.0, cached=False)
        self.watcher.result("R2Rec (nano): sft", "0" * 16, {"ndcg@10": 0.25})
        users = SimpleNamespace(metrics={"ndcg@10": None})
        yield SimpleNamespace(result=SimpleNamespace(users=users, run_id="0" * 16, mean=lambda _: 0.25))


def test_every_trial_of_a_sweep_is_a_wandb_run_in_its_group(tiny, offline_runs, monkeypatch):
    monkeypatch.setattr(study, "Pipeline", Trials)
    monkeypatch.setattr("r2rec_bench.sweep.outputs.write_plots", lambda study, folder: [])
    invoke("sweep", tiny.parent / "sweep.yaml", "--out", tiny.parent / "out", "--track", "wandb", "-q")
    runs = offline_runs(tiny.parent / "wandb")
    assert [(run.name, run.exit_code) for run in runs] == [
        ("find-trial-0", 0),
        ("find-trial-1", 1),
        ("find-trial-2", 0),  # the failed one again
    ]
    assert {(run.group, run.job) for run in runs} == {("find", "trial")}
    lrs = [run.config["stages"][0]["lr"] for run in runs]
    assert lrs[0] != lrs[1] == lrs[2]
    assert [run.summary.get("ndcg_at_10") for run in runs] == [0.25, None, 0.25]
    assert [run.history[0]["sft/loss"] for run in runs] == [0.5, 0.5, 0.5]


class FakeRun:
    """A W&B run; each of its methods does what the test wants."""

    def __init__(self, **does):
        self.logged = []
        self.summary = {}
        self.define_metric = does.get("define_metric", lambda *_, **__: None)
        self.log = does.get("log", self.logged.append)
        self.finish = does.get("finish", lambda exit_code: None)


@pytest.fixture
def wandb(monkeypatch):
    """A wandb whose `init` does what the test wants."""
    fake = ModuleType("wandb")
    fake.__spec__ = ModuleSpec("wandb", None)
    fake.Settings = SimpleNamespace
    monkeypatch.setitem(sys.modules, "wandb", fake)
    return fake


def raising(error):
    def method(*_, **__):
        raise error

    return method


def run_through(tracker):
    """Two stages and a row."""
    for stage in ("sft", "grpo"):
        tracker.open("tiny", SETTINGS)
        tracker.begin(stage)
        tracker.progress(1, 2, {"loss": 1.0})
        tracker.progress(2, 2, {"loss": 0.5})
        tracker.end(stage, 1.0, cached=False)
    tracker.result("R2Rec", "ab", {"hr@1": 0.5})
    tracker.close()


@pytest.mark.parametrize(
    ("does", "message"),
    [
        ({"log": raising(ValueError("no such step"))}, "W&B: ValueError: no such step"),
        ({"define_metric": raising(OSError("broken pipe"))}, "W&B: OSError: broken pipe"),
        ({"finish": raising(TimeoutError("upload"))}, "W&B: TimeoutError: upload"),
    ],
)
def test_a_wandb_that_fails_is_said_once_and_stops_nothing(offline, wandb, does, message):
    wandb.init = lambda **_: FakeRun(**does)
    warnings = []
    run_through(WandbTracker(warnings.append, offline))
    [warning] = warnings
    assert warning.startswith(message)
    assert warning.endswith("goes on untracked.")


def test_a_wandb_that_cannot_start_is_said_once(offline, wandb):
    wandb.init = raising(RuntimeError("no login"))
    warnings = []
    run_through(WandbTracker(warnings.append, offline))
    assert [warning.partition(".")[0] for warning in warnings] == ["W&B: RuntimeError: no login"]


def test_a_wandb_that_does_not_end_is_left_behind(offline, wandb, monkeypatch):
    never = threading.Event()
    wandb.init = lambda **_: FakeRun(finish=lambda exit_code: never.wait())
    monkeypatch.setattr(under_test, "FINISH_SECONDS", 0.01)
    warnings = []
    run_through(WandbTracker(warnings.append, offline))
    never.set()
    [warning] = warnings
    assert "ending a run took more than 0.01 s" in warning


def test_without_wandb_tracking_is_refused_before_any_work(offline, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(InputError, match=r"pip install 'r2rec-bench\[wandb\]'"):
        WandbTracker(pytest.fail, offline)


def test_the_environment_decides_project_folder_and_mode(offline, wandb, monkeypatch):
    asked = []
    wandb.init = lambda **settings: asked.append(settings) or FakeRun()
    run_through(WandbTracker(pytest.fail, offline))
    assert {(one["project"], one["dir"], one["mode"]) for one in asked} == {("r2rec-bench", offline, "offline")}
    assert [one["job_type"] for one in asked] == ["sft", "grpo", "evaluation"]
    assert asked[0]["tags"] == ("nano", "recent", "direct", "sft")
    for name, value in (("PROJECT", "mine"), ("DIR", str(offline / "w")), ("MODE", "online")):
        monkeypatch.setenv(f"WANDB_{name}", value)
    run_through(WandbTracker(pytest.fail, offline))
    assert (asked[-1]["project"], asked[-1]["dir"], asked[-1]["mode"]) == ("mine", offline / "w", "online")
    monkeypatch.delenv("WANDB_MODE")
    monkeypatch.setenv("WANDB_SWEEP_ID", "abc")
    run_through(WandbTracker(pytest.fail, offline, group="find", jobs="trial"))
    assert (asked[-1]["mode"], asked[-1]["name"], asked[-1]["group"]) == (None, None, "find")


def test_names_are_those_that_wandb_can_sort_by():
    names = [metric_name(name) for name in ("ndcg@10", "reward/format", "R2Rec (nano): sft + grpo")]
    assert names == ["ndcg_at_10", "reward/format", "R2Rec__nano___sft___grpo"]
