"""What a transfer study found, cell by cell, as plain values: for tables, figures and other programs."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from statistics import fmean

from r2rec_bench.report.tried import Tried
from r2rec_bench.transfer.cells import Cell
from r2rec_bench.transfer.gains import Gain, gains


@dataclass(frozen=True, slots=True)
class Record:
    """A cell; a list of them is what a data frame is made of. Numbers are NaN where there are none.

    Attributes:
        way: what the model knows of the target: baseline, untrained, in-domain, zero-shot, multi-source or few-shot.
        row: the row of the table.
        sources: the domains trained on, with a plus between them.
        target: the domain asked about.
        users: of the target that were learnt from, in a few-shot cell; 0 in every other.
        hr: HR@1.
        low: lower end of its interval.
        high: upper end.
        n: users asked.
        gain: HR@1 over the untrained model's, of the same users.
        gain_low: lower end of its interval.
        gain_high: upper end.
        p_value: of no gain and no loss.
        adjusted: the same after Holm over all trained models of the study.
        share: the gain over that of the model trained on the target; NaN too where that gain is not established.
        share_low: lower end of its interval.
        share_high: upper end.
        established: whether the in-domain gain of the target is: whether its interval lies above 0.
        seeds: how many runs it is the mean of.
        prompt_tokens: read, of all stages, on average over the seeds.
        completion_tokens: written, likewise.
        seconds: likewise.
        run_id: of the first seed.
        failure: why there is no result; empty where there is one.
    """

    way: str
    row: str
    sources: str
    target: str
    users: int
    hr: float
    low: float
    high: float
    n: int
    gain: float
    gain_low: float
    gain_high: float
    p_value: float
    adjusted: float
    share: float
    share_low: float
    share_high: float
    established: bool
    seeds: int
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    run_id: str
    failure: str


def records(done: Sequence[Tried[Cell]]) -> tuple[Record, ...]:
    """All cells, in the order in which they were run."""
    found = gains(done)
    return tuple(_record(one, found) for one in done)


def to_csv(told: Sequence[Record]) -> str:
    """A line per cell, every value in full precision; empty for NaN."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(field.name for field in fields(Record))
    for one in told:
        writer.writerow(
            ["" if isinstance(value, float) and math.isnan(value) else _plain(value) for value in astuple(one)]
        )
    return out.getvalue()


def _record(one: Tried[Cell], found: Mapping[Cell, Gain]) -> Record:
    cell, row, hr, gain = one.cell, one.row, one.hr, found.get(one.cell)
    part = gain.share if gain else None
    costs = [result.cost for result in row.results] if row else []
    nan = math.nan
    return Record(
        way=cell.way.value,
        row=cell.label,
        sources="+".join(cell.sources),
        target=cell.target,
        users=cell.users,
        hr=hr.mean if hr else nan,
        low=hr.low if hr else nan,
        high=hr.high if hr else nan,
        n=hr.n if hr else 0,
        gain=part.part.mean if part else nan,
        gain_low=part.part.low if part else nan,
        gain_high=part.part.high if part else nan,
        p_value=gain.p_value if gain else nan,
        adjusted=gain.adjusted if gain else nan,
        share=part.value if part else nan,
        share_low=part.low if part else nan,
        share_high=part.high if part else nan,
        established=part.established if part else False,
        seeds=len(costs),
        prompt_tokens=round(fmean(cost.prompt_tokens for cost in costs)) if costs else 0,
        completion_tokens=round(fmean(cost.completion_tokens for cost in costs)) if costs else 0,
        seconds=fmean(cost.seconds for cost in costs) if costs else nan,
        run_id=row.result.run_id if row else "",
        failure=one.failure,
    )


def _plain(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value
