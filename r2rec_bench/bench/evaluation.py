"""All metrics for as many users as MovieLens-1M has, and ten systems compared as reports and `r2rec compare` do it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from r2rec_bench.bench.base import Measurement, at_most, side_by_side
from r2rec_bench.core.types import Candidates, Cost, FloatArray, InteractionLog, Query, Ranking
from r2rec_bench.evaluation.metrics.base import Answered, metrics
from r2rec_bench.evaluation.results import UserTable
from r2rec_bench.evaluation.results import measure as per_user
from r2rec_bench.statistics.bootstrap import RESAMPLES, mean_interval
from r2rec_bench.statistics.holm import holm
from r2rec_bench.statistics.paired import compare, paired_differences

USERS, ITEMS, CANDIDATES, SYSTEMS = 6_040, 3_706, 20, 10
COMPARED = ("hr@1", "ndcg@10")
"""One metric of two values, and one of many."""


def measure(scale: float) -> Iterator[Measurement]:
    """Every registered metric of one system; intervals, permutation tests and Holm of ten."""
    users, resamples = max(2, round(USERS * scale)), max(100, round(RESAMPLES * scale))
    log = log_of(users)
    rng = np.random.default_rng(0)
    lists = lists_of(users, rng)
    answers = [answered(lists, rng) for _ in range(SYSTEMS)]
    chosen = [kind() for _, kind in metrics]
    tables = [per_user(one, log, chosen) for one in answers]
    ours, plain = side_by_side(
        lambda: per_user(replace(answers[0]), log, chosen),  # anew: an answer keeps what metrics share
        lambda: plain_metrics(answers[0]),
        runs=7,
    )
    yield Measurement(
        f"{len(tables[0].metrics)} metrics of {users:,} users × {CANDIDATES} candidates",
        "ms",
        tuple(1e3 * one for one in ours),
        tuple(1e3 * one for one in plain),
        "HR, NDCG and MRR of one user at a time in Python",
        at_most(20),
    )
    some = max(1, resamples // 100)
    ours, plain = side_by_side(lambda: judged(tables, resamples), lambda: plainly_judged(tables, some), runs=3)
    yield Measurement(
        f"{SYSTEMS} systems × {users:,} users × {resamples:,} resamples, {' and '.join(COMPARED)}: intervals of each, "
        f"intervals and permutation tests of {SYSTEMS - 1} pairs, Holm",
        "s",
        ours,
        tuple(one * resamples / some for one in plain),
        "one resample after the other, every user drawn (a hundredth of the resamples, times a hundred)",
        at_most(5),
    )


def lists_of(users: int, rng: np.random.Generator) -> Candidates:
    """A list for each user."""
    items = np.stack([rng.choice(ITEMS, CANDIDATES, replace=False) for _ in range(users)]).astype(np.int32)
    queries = tuple(Query(user, 0, 10) for user in range(users))
    positive = rng.integers(CANDIDATES, size=users).astype(np.int32)
    return Candidates(queries, items, positive, rng.integers(1, 6, users).astype(np.float32), digest="")


def answered(lists: Candidates, rng: np.random.Generator) -> Answered:
    """A system that puts the positive first more often than chance, without a language model."""
    scores = rng.normal(size=lists.items.shape)
    scores[np.arange(len(lists)), lists.positive] += rng.uniform(0.5, 1.5)
    ranking = Ranking(scores, rng.uniform(1, 5, scores.shape), np.ones(scores.shape, np.bool_), Cost())
    return Answered(ranking, lists, rng.integers(1, 3_000, ITEMS), np.full(len(lists), 10))


def judged(tables: list[UserTable], resamples: int) -> list[FloatArray]:
    """Adjusted p-values of the first system against each other one, by metric; intervals come with them."""
    rng = np.random.default_rng(1)
    adjusted: list[FloatArray] = []
    for metric in COMPARED:
        for table in tables:
            mean_interval(table.values(metric), rng, resamples=resamples)
        pairs = [
            compare(paired_differences(tables[0], other, metric), rng, resamples=resamples) for other in tables[1:]
        ]
        adjusted.append(holm(np.array([pair.p_value for pair in pairs])))
    return adjusted


def plain_metrics(one: Answered) -> dict[str, list[float]]:
    """HR@1, NDCG@10 and MRR, written as they are defined."""
    found: dict[str, list[float]] = {"hr@1": [], "ndcg@10": [], "mrr": []}
    for scores, positive in zip(one.ranking.scores.tolist(), one.candidates.positive.tolist(), strict=True):
        rank = sum(score >= scores[positive] for score in scores)
        found["hr@1"].append(float(rank == 1))
        found["ndcg@10"].append(1 / math.log2(rank + 1) if rank <= 10 else 0.0)
        found["mrr"].append(1 / rank)
    return found


def plainly_judged(tables: list[UserTable], resamples: int) -> None:
    """What `judged` does, one resample after the other."""
    rng = np.random.default_rng(1)
    for metric in COMPARED:
        differences = [tables[0].values(metric) - other.values(metric) for other in tables[1:]]
        for values in (*(table.values(metric) for table in tables), *differences):
            n = len(values)
            means = [float(values[rng.integers(n, size=n)].mean()) for _ in range(resamples)]
            np.quantile(means, [0.025, 0.975])
        for values in differences:
            for _ in range(resamples):
                float((values * rng.choice([-1, 1], len(values))).sum())


def log_of(users: int) -> InteractionLog:
    """The ids that tables name; nothing else is asked of it."""
    return InteractionLog(
        np.arange(users, dtype=np.int32),
        np.zeros(users, np.int32),
        np.ones(users, np.float32),
        np.zeros(users, np.int64),
        tuple(map(str, range(users))),
        tuple(map(str, range(ITEMS))),
    )
