"""The same result everywhere: what is equal to the last bit, and what to tolerance, of one tiny experiment."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from threadpoolctl import threadpool_limits

from r2rec_bench.core.loading import load
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.core.types import Ranking
from r2rec_bench.core.watch import Silent
from r2rec_bench.evaluation.results import TABLE_FILE
from r2rec_bench.executors.base import Executor
from r2rec_bench.executors.experiments import job_of
from r2rec_bench.executors.processes import Processes
from r2rec_bench.executors.ray import Ray
from r2rec_bench.experiment import Experiment
from r2rec_bench.files import MODEL, TRACES
from r2rec_bench.llm.base import Checkpoint
from r2rec_bench.llm.loading import load_model, load_tokenizer
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.pipeline import Pipeline
from tests.worlds import write_tiny

pytestmark = pytest.mark.slow

CHANGES = {
    "candidates": {"n": 4, "users": 6},
    "chains": {"n": 3},
    "queries": {"n": 32},
    "stages": [
        {"use": "sft", "lr": 5e-3, "batch_size": 16},
        {"use": "grpo", "lr": 1e-3, "steps": 2, "prompts": 2, "group": 4, "max_completion": 32},
    ],
    "untrained": False,
    "ranker": {"max_thought_tokens": 32},
    "metrics": ["hr", "mrr", "mae"],
    "baselines": [
        "popularity",
        {"use": "als", "factors": 8},
        {"use": "bpr", "factors": 8, "iterations": 20},
    ],
}
BASELINES = ["popularity", "als", "bpr"]
STOPS = ["candidates", "als", "traces", "sft", "grpo", "R2Rec (nano): sft"]
TOLERANCE = 1e-4
"""Most that a weight, or a score in float32, may move where sums are taken in another order."""


@dataclass(frozen=True)
class Ran:
    pipeline: Pipeline
    tables: dict[str, bytes]

    @property
    def traces(self) -> bytes:
        return (self.pipeline.traces.path / TRACES).read_bytes()

    def folder(self, stages: int) -> Path:
        return self.pipeline.trained(self.pipeline.experiment.stages[:stages]).path / MODEL

    def weights(self, stages: int) -> bytes:
        return (self.folder(stages) / "model.safetensors").read_bytes()

    def tensors(self, stages: int) -> dict[str, torch.Tensor]:
        return load_file(self.folder(stages) / "model.safetensors")


@contextmanager
def threads(n: int) -> Iterator[None]:
    """So many for everything that computes on several cores."""
    before = torch.get_num_threads()
    with threadpool_limits(n):
        torch.set_num_threads(n)
        yield
        torch.set_num_threads(before)


def prepared(cache: Path, watcher: Silent, overrides: Sequence[str] = ()) -> Pipeline:
    file = write_tiny(cache, **CHANGES)
    return Pipeline(load(file, Experiment, overrides).value, ArtifactStore(cache / "artifacts"), watcher)


def run(cache: Path, watcher: Silent | None = None, overrides: Sequence[str] = ()) -> Ran:
    pipeline = prepared(cache, watcher or Silent(), overrides)
    return Ran(pipeline, tables(pipeline))


def tables(pipeline: Pipeline) -> dict[str, bytes]:
    """What each row says of each user, by system."""
    return {row.result.system: (row.artifact.path / TABLE_FILE).read_bytes() for row in pipeline.run()}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """On one thread, undisturbed, in this process."""
    with threads(1):
        return run(tmp_path_factory.mktemp("once"))


def asked(ran: Ran, stages: int, batch_tokens: int = 65_536) -> Ranking:
    """What a checkpoint answers, in passes of so many tokens."""
    pipeline = ran.pipeline
    checkpoint, options = Checkpoint(ran.folder(stages)), pipeline.asking.model.load_options()
    model = LanguageModel(load_model(checkpoint, options), load_tokenizer(checkpoint, options), batch_tokens)
    ranker = pipeline.experiment.ranker.build()
    return ranker.rank(model, pipeline.asked[0], pipeline.asking.reader, lambda *_: None)


def written(ranking: Ranking) -> list[str]:
    return [case.completion for row in ranking.cases for case in row]


def test_answers_do_not_depend_on_the_size_of_batches(ran: Ran):
    """One by one, some at a time, all at once: the same thoughts, and scores to tolerance."""
    with threads(1):
        whole = asked(ran, 2)
        for batch_tokens in (1, 1_000):
            other = asked(ran, 2, batch_tokens)
            assert written(other) == written(whole)
            assert (other.valid == whole.valid).all()
            np.testing.assert_allclose(other.scores, whole.scores, atol=TOLERANCE)


def test_two_threads_give_what_one_gives(ran: Ran, tmp_path: Path):
    """What is counted and drawn, and the baselines, to the last bit; weights and scores to tolerance."""
    with threads(2):
        other = run(tmp_path, overrides=["stages.grpo=null"])
        two = asked(ran, 2)
    with threads(1):
        one = asked(ran, 2)
    assert other.pipeline.candidate_lists.digest == ran.pipeline.candidate_lists.digest
    assert other.traces == ran.traces
    assert {name: other.tables[name] for name in BASELINES} == {name: ran.tables[name] for name in BASELINES}
    mine, theirs = ran.tensors(1), other.tensors(1)
    for name, tensor in mine.items():
        np.testing.assert_allclose(theirs[name], tensor, atol=TOLERANCE)
    assert written(two) == written(one)
    np.testing.assert_allclose(two.scores, one.scores, atol=TOLERANCE)


class Stopped(Silent):
    """Stops a run as Ctrl-C does, as soon as `stage` tells of its progress, or when it is done."""

    def __init__(self, stage: str) -> None:
        self.stage, self.now = stage, ""

    def begin(self, stage: str) -> None:
        self.now = stage

    def progress(self, done: int, total: int, figures: object) -> None:
        if self.now == self.stage:
            raise KeyboardInterrupt

    def end(self, stage: str, seconds: float, *, cached: bool) -> None:
        if stage == self.stage:
            raise KeyboardInterrupt


def test_a_run_that_was_stopped_in_every_stage_ends_in_the_same_bits(ran: Ran, tmp_path: Path):
    with threads(1):
        for stage in STOPS:
            with pytest.raises(KeyboardInterrupt):
                run(tmp_path, Stopped(stage))
        whole = run(tmp_path)
    assert whole.tables == ran.tables
    assert [whole.weights(stages) for stages in (1, 2)] == [ran.weights(stages) for stages in (1, 2)]


def check_elsewhere(executor: Executor, ran: Ran, cache: Path) -> None:
    """All that another process is told to make is there, and is the same bits."""
    pipeline = prepared(cache, Silent())
    job = job_of("all", pipeline.experiment, pipeline.store.root, last=False)
    assert [one.failure for one in executor.run([job])] == [""]
    pipeline.store.frozen = True
    there = Ran(pipeline, tables(pipeline))
    assert there.tables == ran.tables
    assert there.traces == ran.traces
    assert [there.weights(stages) for stages in (1, 2)] == [ran.weights(stages) for stages in (1, 2)]


def test_processes_of_their_own_end_in_the_same_bits(ran: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    check_elsewhere(Processes(1), ran, tmp_path)


@pytest.mark.usefixtures("cluster")
def test_a_ray_cluster_ends_in_the_same_bits(ran: Ran, tmp_path: Path):
    check_elsewhere(Ray(tmp_path / "artifacts", 2), ran, tmp_path)
