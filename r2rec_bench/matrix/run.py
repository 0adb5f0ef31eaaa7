"""Running the cells: each an ordinary experiment against the ordinary store, so that they share what they can."""

from __future__ import annotations

from collections.abc import Sequence

from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.core.watch import Watcher
from r2rec_bench.data.datasets import Datasets
from r2rec_bench.executors.base import Executor, told
from r2rec_bench.executors.experiments import followed, job_of
from r2rec_bench.matrix.plan import Cell
from r2rec_bench.pipeline import Pipeline
from r2rec_bench.report.study import Row
from r2rec_bench.report.tried import Tried


def run(cell: Cell, store: ArtifactStore, watcher: Watcher, datasets: Datasets) -> Tried[Cell]:
    """The cell's result, or what kept it from having one: a failure is told, and the next cell can go on."""
    if cell.experiment is None:
        return Tried(cell, None, cell.problem)
    try:
        return Tried(cell, Row("", (Pipeline(cell.experiment, store, watcher, datasets).last(),)))
    except Exception as error:  # whatever a component raises concerns its own cells alone
        return Tried(cell, None, told(error))


def elsewhere(cells: Sequence[Cell], store: ArtifactStore, watcher: Watcher, executor: Executor) -> dict[int, str]:
    """Has an executor make the results of all cells, for `run` to find; why those failed that did, by their places."""
    able = [(place, cell.title, cell.experiment) for place, cell in enumerate(cells) if cell.experiment]
    jobs = [job_of(title, experiment, store.root, last=True) for _, title, experiment in able]
    return {able[index][0]: failure for index, failure in followed(executor, jobs, watcher).items()}
