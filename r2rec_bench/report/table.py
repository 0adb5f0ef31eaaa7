"""The main table: a row per system, means with intervals, what they cost, and the run they come from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from r2rec_bench.core.seeds import generator
from r2rec_bench.evaluation.results import BASELINE
from r2rec_bench.report.study import Row, Study
from r2rec_bench.statistics.bootstrap import Interval, mean_interval

LEVEL = 0.95
NONE = "–"


@dataclass(frozen=True, slots=True)
class Column:
    """A metric's column: its head, its name in results, and which end is good (None: not ranked)."""

    head: str
    metric: str
    higher_is_better: bool | None = True


_METRICS = (
    *(Column(f"HR@{k}", f"hr@{k}") for k in (1, 3, 5, 10)),
    *(Column(f"NDCG@{k}", f"ndcg@{k}") for k in (3, 5, 10)),
    Column("MRR", "mrr"),
    Column("MAE", "mae", higher_is_better=False),
    Column("ValidRatio", "valid_ratio", higher_is_better=None),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """A value in words; `place` is 1 for the best of its column, 2 for the second, 0 for others.

    `interval` follows the value and is never emphasised.
    """

    value: str
    interval: str = ""
    place: int = 0

    @property
    def plain(self) -> str:
        return f"{self.value} {self.interval}".rstrip()


@dataclass(frozen=True, slots=True)
class MainTable:
    """Heads and cells, (rows, columns); each output adds its own marks."""

    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def main_table(study: Study) -> MainTable:
    """The table of a study."""
    rows = study.rows
    columns = [column for column in _METRICS if any(column.metric in row.result.users.metrics for row in rows)]
    systems = [Cell(row.label) for row in rows]
    metrics = [_metric_cells(column, rows) for column in columns]
    tokens = [Cell(_count(row.result.cost.prompt_tokens + row.result.cost.completion_tokens)) for row in rows]
    training = [Cell(_seconds(training_seconds(row))) for row in rows]
    evaluation = [Cell(_seconds(evaluation_seconds(row))) for row in rows]
    runs = [Cell(row.short_id) for row in rows]
    heads = ("System", *(column.head for column in columns), "Tokens", "Training s", "Evaluation s", "Run")
    cells = zip(systems, *metrics, tokens, training, evaluation, runs, strict=True)
    return MainTable(heads, tuple(cells))


def interval_of(row: Row, metric: str) -> Interval:
    """A metric's mean with its interval: the same every time it is asked for."""
    rng = generator(row.result.seed, "bootstrap", row.result.run_id, metric)
    return mean_interval(row.result.users.values(metric), rng, level=LEVEL)


def training_seconds(row: Row) -> float:
    """Wall seconds of all that came before the evaluation; NaN for a baseline that is fitted within it."""
    before = row.result.stages[:-1]
    fitted = row.result.kind == BASELINE and not before
    return math.nan if fitted else sum(stage.cost.seconds for stage in before)


def evaluation_seconds(row: Row) -> float:
    """Wall seconds of asking all candidates; of a baseline, fitting included."""
    return row.result.stages[-1].cost.seconds


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


def _metric_cells(column: Column, rows: Sequence[Row]) -> list[Cell]:
    means = [row.result.mean(column.metric) if column.metric in row.result.users.metrics else math.nan for row in rows]
    places = _places(means, column.higher_is_better)
    first = column.metric == "hr@1"
    return [
        Cell(number(mean), spread(interval_of(row, column.metric)) if first and not math.isnan(mean) else "", place)
        for row, mean, place in zip(rows, means, places, strict=True)
    ]


def _places(values: Sequence[float], higher_is_better: bool | None) -> list[int]:
    """1 for the best and 2 for the second, equals alike; 0 throughout where nothing is to be ranked."""
    distinct = sorted({value for value in values if not math.isnan(value)}, reverse=bool(higher_is_better))
    if higher_is_better is None or len(distinct) < 2:
        return [0] * len(values)
    return [1 if value == distinct[0] else 2 if value == distinct[1] else 0 for value in values]


def _count(value: int) -> str:
    return f"{value:,}" if value else NONE


def _seconds(value: float) -> str:
    return NONE if math.isnan(value) else f"{value:,.1f}"
