"""A suite of ablations whose stages are shared, beside the same cells run alone, each from an empty cache."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from r2rec_bench.bench.base import Measurement, times
from r2rec_bench.core.loading import load, load_all
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.core.watch import Silent
from r2rec_bench.data.datasets import Datasets
from r2rec_bench.experiment import Experiment
from r2rec_bench.pipeline import Pipeline

_CHECKOUT = Path(__file__).parents[2]
_SUITE = """
extends: {checkout}/experiments/ablations.yaml
name: slice
question: What does sharing stages spare?
change: {{data: movielens-100k, candidates.users: {users}, queries.n: {questions}, stages.grpo.steps: {steps}}}
"""
_ABLATIONS = ("no-chains", "random-chains", "no-mask", "no-sft", "no-rl", "no-reasoning", "no-step-reward")
_SEEDS = 2
_USERS, _QUESTIONS, _STEPS = 50, 800, 2
"""A tenth of what `make ablations` asks and trains, of each alike."""


def measure(scale: float) -> Iterator[Measurement]:
    """The experiment's whole table and the last row of seven ablations, under two seeds each, in one process."""
    cells = list(_cells(scale))
    with TemporaryDirectory() as folder:  # what is compiled or imported on first use is in neither
        _run(cells[0], Path(folder), Datasets(Silent()))
    wall, processor = zip(_taken(lambda: _together(cells)), _taken(lambda: _apart(cells)), strict=True)
    what = f"the experiment and {len(_ABLATIONS)} ablations under {_SEEDS} seeds"
    beside = "each from an empty cache"
    yield Measurement(what, "s", wall[:1], wall[1:], beside, times(2))
    yield Measurement(f"{what}, processors' time", "s", processor[:1], processor[1:], beside, times(2))


def _cells(scale: float) -> Iterator[Experiment]:
    users, questions, steps = (max(1, round(n * scale)) for n in (_USERS, _QUESTIONS, _STEPS))
    files = [_CHECKOUT / "ablations" / f"{name}.yaml" for name in _ABLATIONS]
    with TemporaryDirectory() as folder:
        suite = Path(folder) / "slice.yaml"
        suite.write_text(_SUITE.format(checkout=_CHECKOUT, users=users, questions=questions, steps=steps), "utf-8")
        found = [load(suite, Experiment).value]
        found += [one.value for file in files for one in load_all(file, Experiment, instead=suite)]
    for one in found:
        yield from (one.under(seed) for seed in range(one.seed, one.seed + _SEEDS))


def _together(cells: list[Experiment]) -> None:
    datasets = Datasets(Silent())
    with TemporaryDirectory() as folder:
        for place, cell in enumerate(cells):
            _run(cell, Path(folder), datasets, whole=place < _SEEDS)


def _apart(cells: list[Experiment]) -> None:
    for place, cell in enumerate(cells):
        with TemporaryDirectory() as folder:
            _run(cell, Path(folder), Datasets(Silent()), whole=place < _SEEDS)


def _run(cell: Experiment, root: Path, datasets: Datasets, *, whole: bool = True) -> None:
    pipeline = Pipeline(cell, ArtifactStore(root), Silent(), datasets)
    _ = pipeline.run() if whole else pipeline.last()


def _taken(work: Callable[[], None]) -> tuple[float, float]:
    """Wall seconds, and those of all processors together."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor
