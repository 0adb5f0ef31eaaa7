"""Where models were trained and where they were asked: what the heat map of a transfer study shows."""

from __future__ import annotations

from dataclasses import dataclass

from r2rec_bench.explorer.scripts import Value, rounded
from r2rec_bench.report.text import one_line


@dataclass(frozen=True, slots=True)
class HeatCell:
    """HR@1 of a model in a domain.

    Attributes:
        row: what it was trained on.
        column: the domain asked about.
        mean: HR@1, NaN where the cell failed.
        low: lower end of its 95 % interval.
        high: upper end.
        n: users.
        own: whether it was trained on all of that domain.
        run: the start of the run id.
        failure: why there is no value; empty where there is one.
    """

    row: str
    column: str
    mean: float
    low: float
    high: float
    n: int
    own: bool
    run: str
    failure: str


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A transfer study: its cells, row by row, and what must be known of its domains."""

    name: str
    question: str
    notes: tuple[str, ...]
    cells: tuple[HeatCell, ...]

    @property
    def value(self) -> Value:
        """As the page reads it."""
        return {
            "name": one_line(self.name),
            "question": one_line(self.question),
            "notes": [one_line(note) for note in self.notes],
            "cells": [
                {
                    "row": one_line(cell.row),
                    "column": one_line(cell.column),
                    "value": [rounded(cell.mean), rounded(cell.low), rounded(cell.high), cell.n],
                    "own": cell.own,
                    "run": cell.run,
                    "failure": one_line(cell.failure),
                }
                for cell in self.cells
            ],
        }
