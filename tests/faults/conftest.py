"""Real runs of the command line, each in a process group of its own that can be killed.

A server process loads the heavy libraries once, and each run is a fork of it: a run that is killed has cost little.
"""

import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from multiprocessing.process import BaseProcess
from pathlib import Path
from shutil import copytree
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.worlds import write_tiny

CHANGES = {
    "candidates": {"n": 5, "users": 8},
    "chains": {"evidence": "bundle"},
    "prompts": {"budget": 96},
    "queries": {"n": 48},
    "backbone": {"weights": "nano"},
    "stages": [
        {"use": "sft", "lr": 1e-2, "batch_size": 8, "examples": 32},
        {"use": "grpo", "lr": 1e-3, "steps": 3, "prompts": 2, "group": 2, "max_completion": 12},
    ],
    "untrained": False,
    "ranker": {"max_thought_tokens": 12},
    "metrics": ["hr", "ndcg", "valid_ratio"],
}
SWEEP = """
extends: tiny.yaml
name: find
question: Which learning rate?
trials: 3
search: {stages.sft.lr: tune}
fixed: {baselines: []}
"""
_WEIGHTS = """
from r2rec_bench.llm.nano import NanoShape, new_model, new_tokenizer

new_model(NanoShape(width=16, layers=1, heads=2), seed=0).save_pretrained(folder)
new_tokenizer().save_pretrained(folder)
"""
_LOADED = [
    "r2rec_bench.cli.app",
    "r2rec_bench.pipeline",
    "r2rec_bench.cli.studies",
    "r2rec_bench.training.pretrain",
    "r2rec_bench.training.trl.session",
    "transformers.models.llama.modeling_llama",
    "trl.trainer.sft_trainer",
    "trl.trainer.grpo_trainer",
    "peft",
    "datasets",
    "r2rec_baselines",
    "tests.faults.warm",
]
_CHILD = """
import os, signal, sys

os.setsid()
signal.signal(signal.SIGINT, signal.default_int_handler)  # where tests run in the background it is ignored
os.chdir(folder)
os.environ.update(environment)
output = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
os.dup2(output, 1)
os.dup2(output, 2)
events = 0

def count(event, arguments):
    global events
    if event == "open":
        wanted = len(arguments) > 2 and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    else:
        wanted = event in ("os.rename", "os.mkdir", "os.remove", "os.rmdir")
    if not wanted:
        return
    path = str(arguments[0])
    if path.startswith(root) and die_in in path:
        events += 1
        if events == die_at:
            os.kill(os.getpid(), number)

sys.addaudithook(count)
sys.argv = ["r2rec", *words]
from r2rec_bench.cli import main

main()
"""
"""Told its globals. What it does to files is counted, and at one of these events it may hit itself."""


@dataclass
class Home:
    """A folder with a cache, and the commands run there."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        write_tiny(self.folder, **CHANGES)
        (self.folder / "sweep.yaml").write_text(SWEEP)

    def commands(self) -> list[list[object]]:
        """From data to a report, in order; each needs those before it."""
        return [
            ["run", "tiny.yaml", "--out", "reports"],
            ["sweep", "sweep.yaml", "--out", "reports"],
            ["report", self.run_id, "--out", "reports"],
        ]

    @property
    def run_id(self) -> str:
        """Of the model after the last stage; empty before there is one."""
        rows = [event for log in self.logs("run") for event in log if event["event"] == "result"]
        return rows[-1]["run_id"] if rows else ""

    @property
    def cache(self) -> Path:
        return Path(self.environment.get("R2REC_CACHE", self.folder / "cache"))

    @property
    def said(self) -> str:
        path = self.folder / "said.txt"
        return path.read_text("utf-8", errors="replace") if path.exists() else ""

    def start(self, *words: object, die_at: int = 0, die_in: str = "", number: int = signal.SIGKILL) -> BaseProcess:
        """A command, hit by signal `number` at event `die_at` of those on paths with `die_in` in them."""
        environment = {
            "R2REC_CACHE": str(self.cache),
            "R2REC_DATA": str(self.folder / "data"),
            "R2REC_OFFLINE": "1",
            "R2REC_CHECKPOINT_MINUTES": "0",
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "COLUMNS": "1000",
            **self.environment,
        }
        told = {
            "folder": str(self.folder),
            "environment": environment,
            "said": str(self.folder / "said.txt"),
            "words": [str(word) for word in words],
            "root": str(self.folder.parent),
            "die_at": die_at,
            "die_in": die_in,
            "number": int(number),
        }
        return forked(_CHILD, told)

    def run(self, *words: object, seconds: float | None = None, **hit: Any) -> int:
        """As `start`: its exit code, below 0 where a signal ended it. It is killed after so many seconds."""
        process = self.start(*words, **hit)
        process.join(seconds)
        if process.exitcode is None:
            kill(process)
        return process.exitcode or 0

    def hit(self, *words: object, when: str, number: int, tell: Callable[[int, int], None] = os.kill) -> int:
        """A command's exit code, told a signal as soon as there is an artifact, or what is kept of one, like `when`.

        `os.killpg` tells all that it has started as well.
        """
        process = self.start(*words)
        while process.exitcode is None and not list((self.cache / "artifacts").glob(when)):
            process.join(0.02)
        tell(process.pid or 0, number)
        process.join()
        with pytest.raises(ProcessLookupError):  # nobody of its group is left
            os.killpg(process.pid or 0, 0)
        return process.exitcode or 0

    def ok(self, *words: object) -> None:
        code = self.run(*words)
        assert code == 0, self.said

    def artifacts(self) -> dict[str, str]:
        """When each finished artifact was made."""
        manifests = (self.cache / "artifacts").glob("*/[0-9a-f]*/manifest.json")
        return {str(path.parent): json.loads(path.read_text())["created"] for path in manifests}

    def results(self) -> dict[str, dict]:
        """Per-user values of every row ever made."""
        tables = (self.cache / "artifacts").glob("*/[0-9a-f]*/per_user.parquet")
        return {path.parent.name: pq.read_table(path).to_pydict() for path in tables if ".damaged" not in str(path)}

    def weights_of(self, stage: str) -> dict[str, bytes]:
        found = (self.cache / "artifacts" / stage).glob("[0-9a-f]*/model/model.safetensors")
        return {path.parts[-3]: path.read_bytes() for path in found}

    def updates(self, stage: str) -> list[list[int]]:
        """Those that each `run` of the command told of, where it told of any."""
        told = [
            [event["done"] for event in log if event["event"] == "progress" and event["stage"] == stage]
            for log in self.logs("run")
        ]
        return [steps for steps in told if steps]

    def logs(self, command: str) -> list[list[dict]]:
        """The events of each run of a command, in the order of the runs."""
        paths = sorted((self.cache / "logs").glob(f"*-{command}-*.jsonl"), key=lambda path: path.stat().st_mtime_ns)
        return [[json.loads(line) for line in path.read_text().splitlines()] for path in paths]

    def litter(self) -> list[str]:
        """What is left of unfinished work."""
        folders = [path for path in self.folder.rglob(".*") if path.is_dir() and path.name != ".locks"]
        return [str(path.relative_to(self.folder)) for path in folders]


def forked(code: str, told: Mapping[str, object]) -> BaseProcess:
    """A process of the server's that executes `code`, whose globals are `told`."""
    process = multiprocessing.get_context("forkserver").Process(target=exec, args=(code, dict(told)))
    process.start()
    return process


def kill(process: BaseProcess) -> None:
    """Ends the process and all that it has started."""
    with suppress(ProcessLookupError):  # so young that it has no group yet
        os.killpg(process.pid or 0, signal.SIGKILL)
    process.kill()
    process.join()


@pytest.fixture(scope="session")
def server() -> None:
    """Whoever forks the runs; it needs a single thread, as threads do not survive a fork."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LOADED)
    context.Process(target=len, args=("",)).start()
    if before is None:
        del os.environ["OMP_NUM_THREADS"]
    else:
        os.environ["OMP_NUM_THREADS"] = before


@pytest.fixture(scope="session")
def weights(server: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small nano model that has learnt nothing."""
    folder = tmp_path_factory.mktemp("weights") / "nano"
    forked(_WEIGHTS, {"folder": str(folder)}).join()
    return folder


@pytest.fixture(scope="session")
def undisturbed(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home in which the experiment was run, undisturbed. Not to be changed."""
    home = Home(tmp_path_factory.mktemp("undisturbed"))
    copytree(weights, home.folder / "nano")
    home.ok(*home.commands()[0])
    return home


@pytest.fixture
def make_home(weights: Path, tmp_path: Path) -> Callable[..., Home]:
    """Homes with the weights and nothing else, told what they add to the environment."""
    names = (f"home-{number}" for number in count())

    def make(**environment: str) -> Home:
        home = Home(tmp_path / next(names), environment)
        copytree(weights, home.folder / "nano")
        return home

    return make


@pytest.fixture
def home(make_home: Callable[..., Home]) -> Home:
    """One of them."""
    return make_home()
