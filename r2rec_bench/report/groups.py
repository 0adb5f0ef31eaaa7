"""The same metrics by group of users: who is little known, and who took what few others took."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from r2rec_bench.core.seeds import generator
from r2rec_bench.core.types import BoolArray
from r2rec_bench.evaluation.results import UserTable
from r2rec_bench.report.comparisons import METRIC
from r2rec_bench.report.study import Row, Study
from r2rec_bench.report.table import Cell, Table, number, spread
from r2rec_bench.report.values import LEVEL, interval_of, root
from r2rec_bench.statistics.bootstrap import Interval, mean_interval

COLD = 0.25
"""Share of the users who are cold: those with the fewest visible interactions. This project's choice."""
HEAD = 0.2
"""Share of the catalogue that is its head: the most popular items, by visible interactions.

Source: Abdollahpouri et al., "The unfairness of popularity bias in recommendation" (arXiv 1907.13286).
"""
_RESAMPLES = 2_000
"""Of each interval: with every metric in every group there are many."""


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Some of a table's users: `members` is bool (q,)."""

    name: str
    members: BoolArray


def groups_of(users: UserTable) -> tuple[Group, ...]:
    """Cold and warm users, then users whose positive is a head or a tail item: each pair parts the users in two."""
    cold = users.user_seen <= cold_limit(users)
    head = users.item_share < HEAD
    return Group("cold users", cold), Group("warm users", ~cold), Group("head items", head), Group("tail items", ~head)


def cold_limit(users: UserTable) -> int:
    """Most visible interactions of a cold user; all who have as many are cold too."""
    return int(np.quantile(users.user_seen, COLD, method="lower"))


def metric_in(row: Row, metric: str, group: Group) -> Interval:
    """A stored metric, or RMSE, over the members of `group`, with its interval."""
    if metric == "rmse":
        return root(metric_in(row, "se", group))
    rng = generator(row.result.seed, "bootstrap", row.result.run_id, metric, group.name)
    values = row.values(metric)[group.members]
    return mean_interval(values, rng, level=LEVEL, resamples=_RESAMPLES)


def group_lines(study: Study) -> Iterator[str]:
    """The section in Markdown; nothing where no row has HR@1."""
    rows = [row for row in study.rows if interval_of(row, METRIC).n]
    if not rows:
        return
    groups = [groups_of(row.result.users) for row in rows]
    sizes = [
        " / ".join(dict.fromkeys(f"{one.members.sum():,}" for one in column)) for column in zip(*groups, strict=True)
    ]
    heads = [f"{group.name.capitalize()}, n = {size}" for group, size in zip(groups[0], sizes, strict=True)]
    cells = tuple(
        (Cell(row.label), *(_cell(metric_in(row, METRIC, group)) for group in its), Cell(row.short_id))
        for row, its in zip(rows, groups, strict=True)
    )
    limits = " / ".join(dict.fromkeys(str(cold_limit(row.result.users)) for row in rows))
    yield from ("", "## By group", "", f"HR@1 with its 95 % interval, {_RESAMPLES:,} resamples.", "")
    yield Table(("System", *heads, "Run"), cells).markdown()
    yield ""
    yield (
        f"Cold: the quarter of the users with the fewest visible interactions, at most {limits}. Head: what the user "
        "took is among the 20 % of the catalogue with the most visible interactions; among negatives drawn uniformly "
        "it stands out by that alone. All other metrics by group are in results.csv."
    )


def _cell(interval: Interval) -> Cell:
    return Cell(number(interval.mean), spread(interval))
