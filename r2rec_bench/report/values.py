"""The numbers of a row: every metric with its interval, and what it took."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import astuple, replace
from functools import lru_cache

import numpy as np

from r2rec_bench.core.seeds import generator
from r2rec_bench.evaluation.results import BASELINE, RunResult
from r2rec_bench.evaluation.spread import Aggregate, coverage, gini
from r2rec_bench.report.study import Row
from r2rec_bench.statistics.bootstrap import Interval, mean_interval
from r2rec_bench.statistics.jackknife import jackknife_interval
from r2rec_bench.statistics.seeds import seed_spread

LEVEL = 0.95
_SPREAD = {"coverage": coverage, "gini": gini}
SPREAD_AT = (1, 5)
"""Cutoffs at which what is recommended is counted over all users."""
NOWHERE = Interval(math.nan, math.nan, math.nan, 0, 0)


def metrics_of(row: Row) -> Iterator[str]:
    """Every number there is about a row: its columns, then what is derived from them."""
    metrics = row.result.users.metrics
    yield from metrics
    if "se" in metrics:
        yield "rmse"
    yield from (f"{name}@{k}" for name in _SPREAD for k in SPREAD_AT)


@lru_cache(maxsize=4096)
def interval_of(row: Row, metric: str) -> Interval:
    """A metric with its interval, the same every time it is asked for; NaN where the row has no such metric.

    Under several seeds, intervals of coverage and Gini allow for other users alone: what seeds differ by is left out.
    """
    name, _, k = metric.partition("@")
    if name in _SPREAD:
        found: list[Aggregate] = [_SPREAD[name](result.users, int(k)) for result in row.results]
        value, without_each = (np.mean(parts, axis=0) for parts in zip(*map(astuple, found), strict=True))
        return jackknife_interval(float(value), without_each, level=LEVEL)
    if metric == "rmse":
        return root(interval_of(row, "se"))
    if metric not in row.result.users.metrics:
        return NOWHERE
    rng = generator(row.result.seed, "bootstrap", row.result.run_id, metric)
    return mean_interval(row.values(metric), rng, level=LEVEL)


def root(squares: Interval) -> Interval:
    """The interval of a root mean square from that of the mean square: the root keeps order."""
    return replace(squares, mean=math.sqrt(squares.mean), low=math.sqrt(squares.low), high=math.sqrt(squares.high))


def seeds_sd(row: Row, metric: str) -> float:
    """Standard deviation between the seeds' means over users; NaN for a single seed or no such metric."""
    return seed_spread(row.values(metric)).sd if metric in row.result.users.metrics else math.nan


def tokens_per_user(row: Row) -> tuple[float, float]:
    """Tokens read and written in the evaluation for all that one user is asked, on average."""
    n = len(row.result.users)
    return prompt_tokens(row) / n, completion_tokens(row) / n


def training_seconds(row: Row) -> float:
    """Wall seconds of all that came before the evaluation; NaN for a baseline that is fitted within it."""
    fitted = row.result.kind == BASELINE and len(row.result.stages) == 1
    return math.nan if fitted else _mean(row, lambda run: sum(stage.cost.seconds for stage in run.stages[:-1]))


def evaluation_seconds(row: Row) -> float:
    """Wall seconds of asking all candidates; of a baseline, fitting included."""
    return _mean(row, lambda run: run.stages[-1].cost.seconds)


def prompt_tokens(row: Row) -> int:
    """Tokens read in the evaluation."""
    return round(_mean(row, lambda run: run.stages[-1].cost.prompt_tokens))


def completion_tokens(row: Row) -> int:
    """Tokens written in the evaluation."""
    return round(_mean(row, lambda run: run.stages[-1].cost.completion_tokens))


def peak_bytes(row: Row) -> float:
    """Peak resident memory of the process up to the end of the evaluation, of the run that took most."""
    return max(run.stages[-1].cost.peak_bytes for run in row.results)


def tokens_per_second(row: Row) -> float:
    """Tokens read and written in a second of evaluation, making the prompts included; NaN for a system without any."""
    tokens, taken = prompt_tokens(row) + completion_tokens(row), evaluation_seconds(row)
    return tokens / taken if tokens and taken else math.nan


def _mean(row: Row, of: Callable[[RunResult], float]) -> float:
    """What a run takes, on average over the seeds."""
    return sum(map(of, row.results)) / len(row.results)
