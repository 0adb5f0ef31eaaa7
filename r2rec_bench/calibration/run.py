"""Running what a calibration needs: ordinary runs in the ordinary store, shared with every other suite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from r2rec_bench.calibration.again import Found, compared_with_itself
from r2rec_bench.calibration.definition import Cell, Planned, PlantedWorld
from r2rec_bench.calibration.simulated import simulate
from r2rec_bench.core.config import validate
from r2rec_bench.core.errors import R2RecError
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.core.watch import Silent, Watcher
from r2rec_bench.data.datasets import Datasets
from r2rec_bench.executors.base import Executor, Job
from r2rec_bench.experiment import Experiment
from r2rec_bench.pipeline import Pipeline
from r2rec_bench.report.comparisons import Comparisons, against
from r2rec_bench.report.study import Row
from r2rec_bench.statistics.simulation import Calibration as Simulation

_PER_JOB = 6
"""Runs that one process makes after another, reading the data once."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A world with an effect of known size, and what was found there.

    Attributes:
        world: it.
        ceiling: HR@1 of the best possible ranker; NaN where it is not known.
        full: the experiment under each seed.
        comparisons: of the experiment less each ablation, a family.
    """

    world: PlantedWorld
    ceiling: float
    full: Row
    comparisons: Comparisons


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """All that a calibration found.

    Attributes:
        planned: what was to be done.
        simulated: the statistics on drawn hits.
        again: each system against itself, for one seed and for several.
        planted: world by world.
    """

    planned: Planned
    simulated: tuple[Simulation, ...]
    again: tuple[Found, ...]
    planted: tuple[Measured, ...]

    @property
    def rows(self) -> dict[str, Row]:
        """What was run, by title."""
        planted = [(world.full, *(pair.row for pair in world.comparisons.pairs)) for world in self.planted]
        titles = [[cell.title for cell in (one.world.full, *one.world.ablations)] for one in self.planted]
        pairs = [pair for ones in zip(titles, planted, strict=True) for pair in zip(*ones, strict=True)]
        return {found.cell.title: found.row for found in self.again} | dict(pairs)


def run(planned: Planned, store: ArtifactStore, watcher: Watcher, executor: Executor | None = None) -> Done:
    """Everything made or found, then compared.

    Args:
        planned: the calibration.
        store: where runs are kept.
        watcher: told of each stage; with an executor, of each job.
        executor: who makes the runs; without one they are made here.

    Raises:
        NoDataError: data cannot be had, and nothing has been done.
        R2RecError: a run failed; those that did not are kept.
    """
    datasets = Datasets(watcher)
    for cell in planned.cells:
        datasets.of(cell.experiment.data, cell.experiment.otherwise)
    if executor is not None:
        _execute(planned.cells, store, watcher, executor)
    told_of = Silent() if executor else watcher

    def row(cell: Cell, *, ablation: bool = False) -> Row:
        runs = tuple(Pipeline(experiment, store, told_of, datasets).last() for experiment in cell.experiments)
        return Row(cell.system if ablation else "", runs, ablation)

    settings = planned.calibration
    simulated = tuple(simulate(settings.simulated, store, told_of))
    again: list[Found] = []
    for cell in planned.again:
        made = row(cell)
        again += [compared_with_itself(cell, made, size, settings.again.rounds) for size in sorted({1, settings.seeds})]
    planted: list[Measured] = []
    for world in planned.worlds:
        full = row(world.full)
        comparisons = against(full, [row(cell, ablation=True) for cell in world.ablations])
        planted.append(Measured(world, datasets.of(world.full.experiment.data).bayes_hr1, full, comparisons))
    return Done(planned, simulated, tuple(again), tuple(planted))


def _execute(cells: Sequence[Cell], store: ArtifactStore, watcher: Watcher, executor: Executor) -> None:
    jobs = list(_jobs(cells, store))
    failed: list[str] = []
    watcher.begin(f"{len(jobs)} jobs")
    for count, ended in enumerate(executor.run(jobs), 1):
        title = jobs[ended.index].title
        watcher.end(title, ended.seconds, cached=False)
        if ended.failure:
            failed.append(f"{title}: {ended.failure}")
        watcher.progress(count, len(jobs), {})
    if failed:
        raise R2RecError("\n".join(failed))


def _jobs(cells: Sequence[Cell], store: ArtifactStore) -> Iterator[Job]:
    for cell in cells:
        for start in range(0, cell.runs, _PER_JOB):
            some = cell.experiments[start : start + _PER_JOB]
            title = f"{cell.title}, seeds {some[0].seed} to {some[-1].seed}"
            written = [experiment.model_dump(mode="json") for experiment in some]
            yield Job(title, partial(_make, title, written, store.root))


def _make(title: str, written: Sequence[Mapping[str, Any]], root: Path) -> None:
    store, datasets = ArtifactStore(root), Datasets(Silent())
    for one in written:
        Pipeline(validate(Experiment, one, title), store, Silent(), datasets).last()
