"""All ablations as `r2rec run` makes them, two at a time, beside the same cells one after another, each in a process of
its own with an empty cache. A cell is one system: of an ablation its last row."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from r2rec_bench.bench.base import Measurement, times
from r2rec_bench.bench.startup import r2rec
from r2rec_bench.core.loading import load, load_all
from r2rec_bench.core.paths import CACHE_VARIABLE
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.core.watch import Silent
from r2rec_bench.experiment import Experiment
from r2rec_bench.pipeline import Pipeline

_CHECKOUT = Path(__file__).parents[2]
ABLATIONS = sorted((_CHECKOUT / "ablations").glob("*.yaml"))
USERS, QUESTIONS, STEPS = 30, 480, 2
"""A seventeenth of what `make ablations` asks and trains, of a generated world of the size of MovieLens-100K."""
WORKERS = 2
_SUITE = """
extends: {checkout}/experiments/ablations.yaml
name: slice
question: What does sharing stages spare?
change:
  data: {{use: synthetic, users: 943, items: 1682, interactions: 106, seed: 0}}
  candidates.users: {users}
  queries.n: {questions}
  stages.grpo.steps: {steps}
  untrained: false
  baselines: []
"""


def measure(scale: float) -> tuple[Measurement, ...]:
    """The wall's clock, which a second worker shortens, and the processors', which tells what is spared."""
    users, questions, steps = (max(1, round(n * scale)) for n in (USERS, QUESTIONS, STEPS))
    with TemporaryDirectory() as name:
        suite = Path(name) / "slice.yaml"
        text = _SUITE.format(checkout=_CHECKOUT, users=users, questions=questions, steps=steps)
        suite.write_text(text, "utf-8")
        cells = [load(suite, Experiment).value]
        cells += [one.value for file in ABLATIONS for one in load_all(file, Experiment, instead=suite)]
        _alone(cells[0])  # what is compiled or read from disk on first use is in neither
        together = _taken(lambda: _together(suite))
        apart = _taken(lambda: [_alone(cell) for cell in cells])
    what = f"the experiment and {len(cells) - 1} ablations, {WORKERS} at a time"
    beside = "one after another, each in its own process with an empty cache"
    clocks = zip(("", ", by the processors' clock"), together, apart, (times(2), None), strict=True)
    return tuple(Measurement(what + clock, "s", (ours,), (plain,), beside, t) for clock, ours, plain, t in clocks)


def _together(suite: Path) -> None:
    """`make ablations` of the slice, report included."""
    with TemporaryDirectory() as cache:
        files = [str(file) for file in (suite, *ABLATIONS)]
        r2rec("run", *files, "--workers", str(WORKERS), "--quiet", "--out", cache, **{CACHE_VARIABLE: cache})


def _alone(cell: Experiment) -> None:
    with TemporaryDirectory() as cache, ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        process.submit(_last, cell, Path(cache)).result()


def _last(cell: Experiment, cache: Path) -> None:
    os.environ[CACHE_VARIABLE] = str(cache)
    Pipeline(cell, ArtifactStore(cache), Silent()).last()


def _taken(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the wall, and of all processors for the processes that were started and have ended."""
    wall, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
