"""The main table for other programs: CSV with every interval in full precision, LaTeX with booktabs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from r2rec_bench.report.groups import groups_of, metric_in
from r2rec_bench.report.study import Row, Study
from r2rec_bench.report.table import Cell, main_table
from r2rec_bench.report.text import latex
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

ALL = "all"
"""The group of all users."""


def to_csv(study: Study) -> str:
    """A line per system, group of users and metric: mean, interval, users, mean cost of a run, ids of its runs."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    cost = ("prompt_tokens", "completion_tokens", "training_seconds", "evaluation_seconds", "tokens_per_second")
    found = ("metric", "mean", "low", "high", "n", "missing")
    writer.writerow(["run_id", "system", "kind", "seed", "group", *found, *cost])
    for row in study.rows:
        runs = " ".join(result.run_id for result in row.results)
        seeds = " ".join(str(result.seed) for result in row.results)
        taken = (
            prompt_tokens(row),
            completion_tokens(row),
            training_seconds(row),
            evaluation_seconds(row),
            tokens_per_second(row),
        )
        for group, metric, i in _intervals(row):
            known = (metric, i.mean, i.low, i.high, i.n, i.missing)
            writer.writerow([runs, row.label, row.result.kind, seeds, group, *known, *taken])
    return out.getvalue()


def _intervals(row: Row) -> Iterator[tuple[str, str, Interval]]:
    """Group, metric and interval: everything about all users, then what is a mean over users by group."""
    whole = [(metric, interval_of(row, metric)) for metric in metrics_of(row)]
    yield from ((ALL, metric, interval) for metric, interval in whole)
    for group in groups_of(row.result.users):
        for metric, interval in whole:
            if interval.n and (metric == "rmse" or metric in row.result.users.metrics):
                yield group.name, metric, metric_in(row, metric, group)


def to_latex(study: Study) -> str:
    """The main table; needs the package booktabs."""
    table = main_table(study)
    lines = [
        f"% {study.name}: {latex(study.protocol)}",
        rf"\begin{{tabular}}{{l{'r' * (len(table.heads) - 1)}}}",
        r"\toprule",
        " & ".join(map(latex, table.heads)) + r" \\",
        r"\midrule",
        *(" & ".join(map(_cell, row)) + r" \\" for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _cell(cell: Cell) -> str:
    value = latex(cell.value)
    marked = {1: rf"\textbf{{{value}}}", 2: rf"\underline{{{value}}}"}.get(cell.place, value)
    return f"{marked} {cell.interval}".rstrip()
