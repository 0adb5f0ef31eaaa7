"""A trial of a baseline with some settings: fitted on train, judged on the validation fold, within a limit of time."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, Protocol, cast

import numpy as np

from r2rec_bench.core.config import validate
from r2rec_bench.core.errors import R2RecError
from r2rec_bench.core.search import Settings
from r2rec_bench.core.types import Candidates, Cost, InteractionLog, Ranking
from r2rec_bench.data.base import Fold, negative_samplers, splits
from r2rec_bench.data.candidates import draw
from r2rec_bench.evaluation.base import Baseline, baselines
from r2rec_bench.evaluation.metrics.base import ranks, rating_errors
from r2rec_bench.evaluation.metrics.ndcg import gain

SEED, N_USERS, N_NEGATIVES = 0, 1000, 19
"""Of the draw of candidates and of every fit; how many are asked, about their own item and how many others."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a trial is judged on: fitted on `log`, asked `candidates`."""

    log: InteractionLog
    candidates: Candidates

    @classmethod
    def of(cls, log: InteractionLog) -> Task:
        """The validation fold of `log`."""
        folds = splits.get("leave_last_out")().split(log)
        uniform = negative_samplers.get("uniform")()
        lists = draw(folds, Fold.VALIDATION, uniform, n_negatives=N_NEGATIVES, n_users=N_USERS, seed=SEED)
        return cls(folds.visible_log(Fold.VALIDATION), lists)


@dataclass(frozen=True, slots=True)
class Score:
    """How a trial did: means over users, and what it took to fit and to score.

    Attributes:
        mae: NaN from a baseline that predicts no ratings.
        seconds: of processors' time, which is the same whatever else the machine does.
    """

    ndcg10: float
    hr1: float
    mae: float
    seconds: float

    @property
    def by(self) -> str:
        """What decides. A rating predictor is there for its ratings; those that rank best are shrunk to nothing."""
        return "ndcg@10" if math.isnan(self.mae) else "mae"

    @property
    def objective(self) -> float:
        """Higher is better."""
        return self.ndcg10 if math.isnan(self.mae) else -self.mae

    def __str__(self) -> str:
        mae = "" if math.isnan(self.mae) else f", MAE {self.mae:.3f}"
        return f"NDCG@10 {self.ndcg10:.4f}, HR@1 {self.hr1:.3f}{mae}, {self.seconds:.1f} s"

    def shown(self) -> dict[str, float]:
        """As in `tuned.yaml`."""
        values = {"ndcg@10": self.ndcg10, "hr@1": self.hr1, "mae": self.mae}
        return {name: round(value, 4) for name, value in values.items() if math.isfinite(value)}


class TimeLimitError(R2RecError):
    """A trial took longer than it may."""


class Judge(Protocol):
    """Fits a baseline and says how it did.

    Raises:
        TimeLimitError: it took too long.
    """

    def __call__(self, name: str, settings: Settings) -> Score: ...


def judged(name: str, settings: Mapping[str, Any], task: Task) -> Score:
    """How the baseline `name` with `settings` does on `task`."""
    cls = baselines.get(name)
    model = cast("Baseline", cls(validate(cls.config_type(), settings, source=name)))
    start = time.process_time()
    model.fit(task.log, SEED)
    scores = model.score(task.candidates)
    seconds = time.process_time() - start
    predicted = model.ratings(task.candidates)
    ranking = Ranking(scores, predicted, np.ones(scores.shape, dtype=np.bool_), Cost())
    rank = ranks(ranking, task.candidates)
    errors = np.abs(rating_errors(ranking, task.candidates))
    known = errors[np.isfinite(errors)]
    mae = float(known.mean()) if len(known) else math.nan
    return Score(float(gain(rank, 10).mean()), float((rank == 1).mean()), mae, seconds)


@dataclass(frozen=True, slots=True)
class LimitedJudge:
    """Judges on `task`, and cuts a trial that takes more than so many minutes of processors' time."""

    task: Task
    limit_minutes: float

    def __call__(self, name: str, settings: Settings) -> Score:
        with _limited(60 * self.limit_minutes):
            return judged(name, settings, self.task)


@contextmanager
def _limited(seconds: float) -> Generator[None]:
    """Inside, a TimeLimitError is raised once this process has computed for so long, all threads together."""

    def cut(number: int, frame: FrameType | None) -> None:
        raise TimeLimitError(f"cut after {seconds:g} s of processors' time")

    before = signal.signal(signal.SIGPROF, cut)
    # Once more each second, should a library have let the first one pass.
    signal.setitimer(signal.ITIMER_PROF, max(seconds, 1e-6), 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
