"""Experiments as jobs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from r2rec_bench.core.config import validate
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.core.watch import Silent
from r2rec_bench.executors.base import Job
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
