"""Running the cells: each an ordinary experiment against the ordinary store, so that they share what they can."""

from __future__ import annotations

import json
import traceback
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from r2rec_bench.core.errors import R2RecError
from r2rec_bench.core.seeds import generator
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.core.watch import Watcher
from r2rec_bench.data.base import Dataset
from r2rec_bench.evaluation.results import RunResult
from r2rec_bench.experiment import Experiment
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


@dataclass(slots=True)
class Runner:
    """Runs cell after cell; data that several of them use are read once."""

    store: ArtifactStore
    watcher: Watcher
    _data: dict[str, Dataset] = field(default_factory=dict[str, Dataset])

    def run(self, cell: Cell) -> Done:
        """The cell's result, or what kept it from having one: a failure is told, and the next cell can go on."""
        if cell.experiment is None:
            return Done(cell, None, cell.problem)
        try:
            pipeline = Pipeline(cell.experiment, self.store, self.watcher)
            pipeline.dataset = self.dataset(cell.experiment)
            return Done(cell, pipeline.run()[-1].result)
        except R2RecError as error:
            return Done(cell, None, str(error))
        except Exception as error:  # whatever a component raises concerns its own cells alone
            return Done(cell, None, _told(error))

    def dataset(self, experiment: Experiment) -> Dataset:
        """The experiment's data, read when first asked for.

        Raises:
            NoDataError: they cannot be had.
        """
        sources = [experiment.data, *([experiment.otherwise] if experiment.otherwise else [])]
        key = json.dumps([spec.to_dict() for spec in sources])
        if key not in self._data:
            self._data[key] = Pipeline(experiment, self.store, self.watcher).dataset
        return self._data[key]


def _told(error: Exception) -> str:
    """Kind and words of an error that nobody foresaw, and where it was raised."""
    *_, last = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__}: {error} ({Path(last.filename).name}, line {last.lineno}, in {last.name})"
