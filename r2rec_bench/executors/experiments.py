"""Experiments, and the parts of their long stages, as jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from r2rec_bench.core.config import validate
from r2rec_bench.core.errors import R2RecError
from r2rec_bench.core.parts import Spread
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.core.watch import Silent, Watcher
from r2rec_bench.executors.base import Executor, Job
from r2rec_bench.experiment import Experiment
from r2rec_bench.pipeline import Pipeline


def job_of(title: str, experiment: Experiment, root: Path, *, last: bool) -> Job:
    """All rows of an experiment's table, or the last alone, made in the store at `root`."""
    return Job(title, partial(_make, title, experiment.model_dump(mode="json"), root, last))


def _make(title: str, written: Mapping[str, Any], root: Path, last: bool) -> None:
    pipeline = Pipeline(validate(Experiment, written, title), ArtifactStore(root), Silent())
    if last:
        pipeline.last()
    else:
        pipeline.run()


def training_of(title: str, experiment: Experiment, root: Path) -> Job:
    """The model after all stages of an experiment, whose questions pass the leakage gate first."""
    return Job(title, partial(_train, title, experiment.model_dump(mode="json"), root))


def _train(title: str, written: Mapping[str, Any], root: Path) -> None:
    pipeline = Pipeline(validate(Experiment, written, title), ArtifactStore(root), Silent())
    _ = pipeline.audit
    pipeline.trained(pipeline.experiment.stages)


def spread_over(executor: Executor, watcher: Watcher) -> Spread:
    """Has the parts of one long stage done by an executor, the watcher told how many are."""

    def spread(works: Sequence[Callable[[], None]]) -> None:
        jobs = [Job(f"part {number} of {len(works)}", work) for number, work in enumerate(works, 1)]
        failed: list[str] = []
        for count, ended in enumerate(executor.run(jobs), 1):
            if ended.failure:
                failed.append(f"{jobs[ended.index].title}: {ended.failure}")
            watcher.progress(count, len(jobs), {})
        if failed:
            raise R2RecError("\n".join(failed))

    return spread


def followed(executor: Executor, jobs: Sequence[Job], watcher: Watcher) -> dict[int, str]:
    """Has all jobs done, the watcher told of each; why those failed that did, by their places."""
    failed: dict[int, str] = {}
    watcher.begin(f"{len(jobs)} experiments")
    for count, ended in enumerate(executor.run(jobs), 1):
        title = jobs[ended.index].title
        watcher.end(title, ended.seconds, cached=False)
        if ended.failure:
            failed[ended.index] = ended.failure
            watcher.warn(f"{title} failed: {ended.failure}")
        watcher.progress(count, len(jobs), {})
    return failed
