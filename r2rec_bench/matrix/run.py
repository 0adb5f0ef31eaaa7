"""Running the cells: each an ordinary experiment against the ordinary store, so that they share what they can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from r2rec_bench.core.seeds import generator
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.core.watch import Watcher
from r2rec_bench.data.datasets import Datasets
from r2rec_bench.evaluation.results import RunResult
from r2rec_bench.executors.base import Executor, told
from r2rec_bench.executors.experiments import followed, job_of
from r2rec_bench.matrix.plan import Cell
from r2rec_bench.pipeline import Pipeline
from r2rec_bench.statistics.bootstrap import Interval, mean_interval


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """What became of a cell.

    Attributes:
        cell: what was to be run.
        result: its last row; none where it failed.
        failure: why, in words; empty where it did not.
    """

    cell: Cell
    result: RunResult | None
    failure: str = ""

    @property
    def hr(self) -> Interval | None:
        """HR@1 with its interval, the same that the run's own report gives."""
        if self.result is None:
            return None
        first = (self.result.users.rank == 1).astype(np.float64)
        return mean_interval(first, generator(self.result.seed, "bootstrap", self.result.run_id, "hr@1"))


def run(cell: Cell, store: ArtifactStore, watcher: Watcher, datasets: Datasets) -> Done:
    """The cell's result, or what kept it from having one: a failure is told, and the next cell can go on."""
    if cell.experiment is None:
        return Done(cell, None, cell.problem)
    try:
        return Done(cell, Pipeline(cell.experiment, store, watcher, datasets).last().result)
    except Exception as error:  # whatever a component raises concerns its own cells alone
        return Done(cell, None, told(error))


def elsewhere(cells: Sequence[Cell], store: ArtifactStore, watcher: Watcher, executor: Executor) -> dict[int, str]:
    """Has an executor make the results of all cells, for `run` to find; why those failed that did, by their places."""
    able = [(place, cell.title, cell.experiment) for place, cell in enumerate(cells) if cell.experiment]
    jobs = [job_of(title, experiment, store.root, last=True) for _, title, experiment in able]
    return {able[index][0]: failure for index, failure in followed(executor, jobs, watcher).items()}
