"""Stored results as a data frame, for notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.report.groups import groups_of, metric_in
from r2rec_bench.report.study import Row, Study, system_of
from r2rec_bench.report.values import (
    completion_tokens,
    evaluation_seconds,
    interval_of,
    metrics_of,
    prompt_tokens,
    tokens_per_second,
    training_seconds,
)
from r2rec_bench.statistics.bootstrap import Interval

if TYPE_CHECKING:
    import pandas as pd

ALL = "all"
"""The group of all users."""
_COST = {
    "prompt_tokens": prompt_tokens,
    "completion_tokens": completion_tokens,
    "training_seconds": training_seconds,
    "evaluation_seconds": evaluation_seconds,
    "tokens_per_second": tokens_per_second,
}
_FOUND = ("metric", "mean", "low", "high", "n", "missing")


def study_of(store: ArtifactStore, rows: Iterable[str], *, name: str = "stored", question: str = "") -> Study:
    """Stored runs as a study; of one with baselines and a trained model all that a report says can be asked.

    Args:
        store: where they are: `ArtifactStore(cache_root() / "artifacts", frozen=True)`.
        rows: a run id, or its beginning, for each row; those of one system under several seeds together, separated by
            spaces, as in the first column of results.csv.
        name: of the study.
        question: what it asks.

    Raises:
        InputError: as `system_of`.
    """
    return Study(name, question, tuple(system_of(store, row) for row in rows))


def frame(study: Study) -> pd.DataFrame:
    """A line per system, group of users and metric, as in results.csv: mean and interval, users, cost, runs.

    `run_id` and `seed` name all runs of the system, separated by spaces; cost is a run's mean; `missing` are users
    without a value.
    """
    import pandas as pd

    heads = ["run_id", "system", "kind", "seed", "group", *_FOUND, *_COST]
    return pd.DataFrame(list(_lines(study)), columns=pd.Index(heads))


def _lines(study: Study) -> Iterator[tuple[object, ...]]:
    for row in study.rows:
        runs = " ".join(result.run_id for result in row.results)
        seeds = " ".join(str(result.seed) for result in row.results)
        taken = [of(row) for of in _COST.values()]
        for group, metric, i in _intervals(row):
            known = (metric, i.mean, i.low, i.high, i.n, i.missing)
            yield (runs, row.label, row.result.kind, seeds, group, *known, *taken)


def _intervals(row: Row) -> Iterator[tuple[str, str, Interval]]:
    """Group, metric and interval: everything about all users, then what is a mean over users by group."""
    whole = [(metric, interval_of(row, metric)) for metric in metrics_of(row)]
    yield from ((ALL, metric, interval) for metric, interval in whole)
    for group in groups_of(row.result.users):
        for metric, interval in whole:
            if interval.n and (metric == "rmse" or metric in row.result.users.metrics):
                yield group.name, metric, metric_in(row, metric, group)
