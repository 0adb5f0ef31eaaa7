"""Long stages in parts: the same bytes whoever makes them, and nothing made twice after an interruption."""

import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from r2rec_bench import inputs as inputs_room
from r2rec_bench import pipeline as pipeline_room
from r2rec_bench.cli.studies import Wanted, gather
from r2rec_bench.core.errors import R2RecError
from r2rec_bench.core.loading import load
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.core.watch import Silent
from r2rec_bench.evaluation import blocks as blocks_room
from r2rec_bench.evaluation.results import TABLE_FILE
from r2rec_bench.executors.base import Ended, Executor, Job, done
from r2rec_bench.executors.experiments import spread_over
from r2rec_bench.executors.processes import Processes
from r2rec_bench.executors.ray import Ray
from r2rec_bench.experiment import Experiment
from r2rec_bench.files import CASES, TRACES
from r2rec_bench.llm.nano import WEIGHTS
from r2rec_bench.pipeline import Pipeline
from r2rec_bench.traces.hf import LocalModel
from tests.worlds import write_tiny

pytestmark = pytest.mark.slow

CHANGES = {
    "candidates": {"n": 3, "users": 20},
    "chains": {"evidence": "bundle"},
    "teacher": {"use": "hf", "path": str(WEIGHTS), "masking": "whole"},
    "queries": {"n": 40},
    "stages": [],
    "ranker": {"max_thought_tokens": 48},
    "metrics": ["hr", "counterfactual"],
    "baselines": [],
}
TRAINED = {
    "candidates": {"n": 3, "users": 10},
    "teacher": "template",
    "untrained": False,
    "stages": [{"use": "sft", "lr": 1e-3, "batch_size": 16}],
}
BLOCKS, BATCHES = 3, 2
"""Of 8 users and of 32 lessons."""


@pytest.fixture(scope="module", autouse=True)
def small_parts() -> Iterator[None]:
    """Parts so small that several of them are soon made; who makes one is told what is in it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks_room, "_USERS", 8)
        patch.setattr(LocalModel, "batch", 32)
        yield


class Shuffled:
    """Does jobs as another process would, the last first."""

    def __init__(self) -> None:
        self.titles: list[str] = []

    def run(self, jobs: Sequence[Job]) -> Iterator[Ended]:
        for index in reversed(range(len(jobs))):
            self.titles.append(jobs[index].title)
            yield done(index, pickle.loads(pickle.dumps(jobs[index].work)))


class Lazy:
    """Says that all is well and does nothing."""

    def run(self, jobs: Sequence[Job]) -> Iterator[Ended]:
        yield from (Ended(index, 0.0, "") for index in range(len(jobs)))


class Broken:
    def run(self, jobs: Sequence[Job]) -> Iterator[Ended]:
        yield from (Ended(index, 0.0, "no such thing" if index else "") for index in range(len(jobs)))


def prepared(root: Path, executor: Executor | None = None) -> Pipeline:
    root.mkdir(exist_ok=True)
    experiment = load(write_tiny(root, **CHANGES), Experiment, []).value
    spread = spread_over(executor, Silent()) if executor else None
    return Pipeline(experiment, ArtifactStore(root / "store"), Silent(), None, spread)


def evaluated(pipeline: Pipeline) -> tuple[bytes, ...]:
    folder = pipeline.evaluation((), "nano", "untrained").artifact.path
    return tuple((folder / name).read_bytes() for name in (TABLE_FILE, CASES))


def annotated(pipeline: Pipeline) -> tuple[bytes, ...]:
    return tuple((pipeline.traces.path / name).read_bytes() for name in (TRACES, "counts.json"))


@pytest.fixture(scope="module")
def serial(small_parts: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[tuple[bytes, ...], ...]:
    pipeline = prepared(tmp_path_factory.mktemp("serial") / "run")
    assert len(pipeline.candidate_lists) == 20
    return annotated(pipeline), evaluated(pipeline)


def test_parts_made_in_another_order_by_others_are_the_same_bytes(serial, tmp_path: Path):
    shuffled = Shuffled()
    pipeline = prepared(tmp_path, shuffled)
    assert (annotated(pipeline), evaluated(pipeline)) == serial
    assert shuffled.titles == [f"part {k} of {n}" for n in (BATCHES, BLOCKS) for k in range(n, 0, -1)]
    assert not list((tmp_path / "store").glob("*/.*.unfinished"))


def test_another_process_makes_the_same_bytes(serial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert evaluated(prepared(tmp_path, Processes(1))) == serial[1]


def test_a_single_experiment_is_trained_by_a_job_and_asked_in_parts(tmp_path: Path):
    wanted, shuffled = Wanted([write_tiny(tmp_path, **CHANGES | TRAINED)]), Shuffled()
    alone = gather(wanted, ArtifactStore(tmp_path / "alone"), Silent())
    shared = gather(wanted, ArtifactStore(tmp_path / "shared"), Silent(), shuffled)
    assert shuffled.titles == ["tiny, training", "part 2 of 2", "part 1 of 2"]
    tables = [[(run.artifact.path / TABLE_FILE).read_bytes() for run in study.runs] for study in (alone, shared)]
    assert tables[0] == tables[1]
    assert len(tables[0]) == 1


@pytest.mark.usefixtures("cluster")
def test_a_cluster_makes_the_same_bytes(serial, tmp_path: Path):
    pipeline = prepared(tmp_path, Ray(tmp_path / "store", 1))
    assert (annotated(pipeline), evaluated(pipeline)) == serial


@pytest.mark.parametrize(
    ("room", "name", "make", "whole"),
    [(inputs_room, "write_batch", annotated, 0), (pipeline_room, "write_block", evaluated, 1)],
    ids=["annotation", "evaluation"],
)
def test_what_was_made_before_an_interruption_is_not_made_again(
    serial, tmp_path: Path, monkeypatch, room, name: str, make, whole: int
):
    written, write = [], getattr(room, name)

    def stopped(part, folder: Path) -> None:
        written.append(folder.name)
        if len(written) == 2:
            raise KeyboardInterrupt
        write(part, folder)

    monkeypatch.setattr(room, name, stopped)
    with pytest.raises(KeyboardInterrupt):
        make(prepared(tmp_path))
    assert make(prepared(tmp_path)) == serial[whole]
    parts = BATCHES if make is annotated else BLOCKS
    assert len(written) == parts + 1  # the second alone twice


@pytest.mark.parametrize(
    ("executor", "told"),
    [(Lazy(), "was to leave part-00000 in .*, and did not"), (Broken(), "part 2 of 2: no such thing")],
    ids=["nothing left", "failed"],
)
def test_parts_that_others_do_not_make_end_the_stage(tmp_path: Path, executor: Executor, told: str):
    with pytest.raises(R2RecError, match=told):
        _ = prepared(tmp_path, executor).traces
