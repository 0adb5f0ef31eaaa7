"""Cells of a study of many: each a row of figures, or the reason why it has none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from r2rec_bench.evaluation.results import RunResult
from r2rec_bench.report.comparisons import METRIC
from r2rec_bench.report.study import Row
from r2rec_bench.report.text import markdown
from r2rec_bench.report.values import interval_of
from r2rec_bench.statistics.bootstrap import Interval

FAILED = "failed"
HEAT_MAP = "heat-map.svg"


class Titled(Protocol):
    """A cell of a table of two ways."""

    @property
    def title(self) -> str:
        """What it is called where it stands alone."""
        ...


CellT = TypeVar("CellT", bound=Titled)


@dataclass(frozen=True, slots=True, eq=False)
class Tried(Generic[CellT]):
    """What became of a cell.

    Attributes:
        cell: what was to be run.
        row: its runs, one per seed; none where it failed.
        failure: why, in words; empty where it did not.
    """

    cell: CellT
    row: Row | None
    failure: str = ""

    @property
    def result(self) -> RunResult | None:
        """Of the first seed; none where it failed."""
        return self.row.result if self.row else None

    @property
    def hr(self) -> Interval | None:
        """HR@1 with its interval, the same that the run's own report gives."""
        return interval_of(self.row, METRIC) if self.row else None


def failed(number: int) -> str:
    """What stands in the place of a figure: `failed`, and which of the reasons below the table, from 1, says why."""
    return f"{FAILED} ({number})"


def reasons(tried: Sequence[Tried[CellT]]) -> list[tuple[str, str]]:
    """Title and reason of each cell that failed, in the order of the numbers in the table."""
    return [(one.cell.title, one.failure) for one in tried if one.row is None]


def reasons_in_words(tried: Sequence[Tried[CellT]]) -> Iterator[str]:
    """The part of a report that says why cells failed; nothing when none did."""
    told = reasons(tried)
    if told:
        yield from ("", "## Failed", "")
    for number, (title, reason) in enumerate(told, 1):
        yield f"{number}. {markdown(title)}: {markdown(reason)}"
