"""Tables: a row per system, what was measured with its interval, and the run that it comes from."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from r2rec_bench.report.study import Row, Study, several_seeds
from r2rec_bench.report.text import in_markdown, markdown
from r2rec_bench.report.values import (
    completion_tokens,
    evaluation_seconds,
    interval_of,
    metrics_of,
    prompt_tokens,
    seeds_sd,
    training_seconds,
)
from r2rec_bench.statistics.bootstrap import Interval

NONE = "–"
DAGGER = "†"
"""Marks what differs from the reference; best and second are told by type, so that the two are never confused."""


@dataclass(frozen=True, slots=True)
class Column:
    """A metric's column.

    Attributes:
        head: as shown.
        metric: its name in results.
        higher_is_better: which end is good; None where rows are not ranked.
        interval: whether intervals are shown.
        digits: decimals.
    """

    head: str
    metric: str
    higher_is_better: bool | None = True
    interval: bool = False
    digits: int = 3


HIT = Column("HR@1", "hr@1", interval=True)
SD_HEAD = "SD, seeds"
METRICS = (
    HIT,
    *(Column(f"HR@{k}", f"hr@{k}") for k in (3, 5, 10)),
    *(Column(f"NDCG@{k}", f"ndcg@{k}") for k in (3, 5, 10)),
    Column("MRR", "mrr"),
    Column("MAE", "mae", higher_is_better=False),
    Column("RMSE", "rmse", higher_is_better=False),
    Column("ValidRatio", "valid_ratio", higher_is_better=None),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """A value in words; `place` is 1 for the best of its column, 2 for the second, 0 for others.

    `interval` follows the value and is never emphasised; `marked` says that the value differs from the reference's.
    """

    value: str
    interval: str = ""
    place: int = 0
    marked: bool = False

    @property
    def plain(self) -> str:
        return f"{self.value} {self.interval}".rstrip()


@dataclass(frozen=True, slots=True)
class Table:
    """Heads and cells, (rows, columns); each output adds its own marks.

    The first column is the system, the last one the run.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def markdown(self) -> str:
        """The table in Markdown: the best in bold, the second underlined."""
        cells = [[_marked(cell) for cell in row] for row in self.rows]
        alignment = ("left", *["right"] * (len(self.heads) - 2), "left")
        return in_markdown(self.heads, cells, *alignment)


def main_table(study: Study, marked: Collection[Row] = ()) -> Table:
    """The table of a study: ranking, ratings, and what they cost.

    Args:
        study: whose rows.
        marked: those whose HR@1 differs significantly from the reference's.
    """
    rows = study.rows
    systems = [Cell(row.label) for row in rows]
    columns = [(column.head, metric_cells(column, rows, marked)) for column in _measured(METRICS, rows)]
    if several_seeds(rows) and columns and columns[0][0] == HIT.head:
        columns.insert(1, (SD_HEAD, [Cell(number(seeds_sd(row, HIT.metric))) for row in rows]))
    tokens = [Cell(count(prompt_tokens(row) + completion_tokens(row))) for row in rows]
    training = [Cell(seconds(training_seconds(row))) for row in rows]
    evaluation = [Cell(seconds(evaluation_seconds(row))) for row in rows]
    runs = [Cell(row.short_id) for row in rows]
    heads = ("System", *(head for head, _ in columns), "Tokens", "Training s", "Evaluation s", "Run")
    cells = zip(systems, *(cells for _, cells in columns), tokens, training, evaluation, runs, strict=True)
    return Table(heads, tuple(cells))


def metrics_table(study: Study, columns: Sequence[Column]) -> Table | None:
    """The columns that were measured, and the rows that have a value in any of them; None where there are none."""
    rows = [row for row in study.rows if any(interval_of(row, column.metric).n for column in columns)]
    if not rows:
        return None
    shown = _measured(columns, rows)
    metrics = [metric_cells(column, rows) for column in shown]
    cells = zip([Cell(row.label) for row in rows], *metrics, [Cell(row.short_id) for row in rows], strict=True)
    return Table(("System", *(column.head for column in shown), "Run"), tuple(cells))


def number(value: float, digits: int = 3) -> str:
    """A fixed number of decimals; a dash for NaN."""
    return NONE if math.isnan(value) else f"{value:.{digits}f}"


def signed(value: int) -> str:
    """A whole number with its sign, 0 without."""
    return f"{value:+d}" if value else "0"


def spread(interval: Interval, digits: int = 3, *, sign: bool = False) -> str:
    """`[low, high]`; empty where there is none."""
    plus = "+" if sign else ""
    return "" if math.isnan(interval.low) else f"[{interval.low:{plus}.{digits}f}, {interval.high:{plus}.{digits}f}]"


def _measured(columns: Sequence[Column], rows: Sequence[Row]) -> list[Column]:
    known = {metric for row in rows for metric in metrics_of(row)}
    return [column for column in columns if column.metric in known]


def metric_cells(column: Column, rows: Sequence[Row], marked: Collection[Row] = ()) -> list[Cell]:
    """A column's cells; those of HR@1 carry the marks. Only rows asked like the first are ranked."""
    found = [interval_of(row, column.metric) for row in rows]
    alike = [i.mean if row.protocol == rows[0].protocol else math.nan for row, i in zip(rows, found, strict=True)]
    places = _places(alike, column.higher_is_better)
    return [
        Cell(
            number(i.mean, column.digits),
            spread(i, column.digits) if column.interval else "",
            place,
            marked=column == HIT and row in marked,
        )
        for row, i, place in zip(rows, found, places, strict=True)
    ]


def _marked(cell: Cell) -> str:
    value = markdown(cell.value)
    marked = {1: f"**{value}**", 2: f"<u>{value}</u>"}.get(cell.place, value)
    return f"{marked}{DAGGER if cell.marked else ''} {cell.interval}".rstrip()


def _places(values: Sequence[float], higher_is_better: bool | None) -> list[int]:
    """1 for the best and 2 for the second, equals alike; 0 throughout where nothing is to be ranked."""
    distinct = sorted({value for value in values if not math.isnan(value)}, reverse=bool(higher_is_better))
    if higher_is_better is None or len(distinct) < 2:
        return [0] * len(values)
    return [1 if value == distinct[0] else 2 if value == distinct[1] else 0 for value in values]


def count(value: float) -> str:
    """A whole number; a dash for none."""
    return NONE if math.isnan(value) or not value else f"{value:,.0f}"


def seconds(value: float) -> str:
    """Seconds to a tenth; a dash for NaN."""
    return NONE if math.isnan(value) else f"{value:,.1f}"
