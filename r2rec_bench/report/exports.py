"""The main table for other programs: CSV with every interval in full precision, LaTeX with booktabs."""

from __future__ import annotations

import csv
import io

from r2rec_bench.report.study import Study
from r2rec_bench.report.table import Cell, evaluation_seconds, interval_of, main_table, training_seconds
from r2rec_bench.report.text import latex


def to_csv(study: Study) -> str:
    """A line per system and metric: mean, interval, users, cost, run id."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    cost = ("prompt_tokens", "completion_tokens", "training_seconds", "evaluation_seconds")
    writer.writerow(["run_id", "system", "kind", "seed", "metric", "mean", "low", "high", "n", "missing", *cost])
    for row in study.rows:
        result = row.result
        taken = (
            result.cost.prompt_tokens,
            result.cost.completion_tokens,
            training_seconds(row),
            evaluation_seconds(row),
        )
        for metric in result.users.metrics:
            i = interval_of(row, metric)
            found = (metric, i.mean, i.low, i.high, i.n, i.missing)
            writer.writerow([result.run_id, row.label, result.kind, result.seed, *found, *taken])
    return out.getvalue()


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
