"""The report of a matrix: `report.md` to read, `results.csv` with everything in full precision for programs."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from r2rec_bench.core.describe import in_yaml
from r2rec_bench.matrix.plan import MOST_AXES, Cell, Fit, Plan
from r2rec_bench.report.drawing import can_draw, heat_map
from r2rec_bench.report.synthetic import synthetic_cells
from r2rec_bench.report.table import number, spread
from r2rec_bench.report.text import in_markdown, markdown
from r2rec_bench.report.tried import FAILED, HEAT_MAP, Tried, failed, reasons_in_words
from r2rec_bench.statistics.bootstrap import RESAMPLES


def write(plan: Plan, done: Sequence[Tried[Cell]], folder: Path) -> Path:
    """The report in `folder`, which is made where it is missing; returns the file to read first.

    Two axes are drawn as a heat map too, where matplotlib is installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "report.md"
    mapped = len(plan.axes) == MOST_AXES and can_draw()
    if mapped:
        _map(plan, done, folder / HEAT_MAP)
    else:
        (folder / HEAT_MAP).unlink(missing_ok=True)
    path.write_text("\n".join(_lines(plan, done, mapped=mapped)) + "\n", "utf-8")
    (folder / "results.csv").write_text(to_csv(plan, done), "utf-8")
    return path


def table(plan: Plan, done: Sequence[Tried[Cell]], *, intervals: bool) -> tuple[list[str], list[list[str]]]:
    """Heads and rows: HR@1 of each cell, `failed` with the number of its reason, from 1, where there is none."""
    failures = [one for one in done if one.result is None]
    first, *second = plan.axes
    columns = [choice.label for axis in second for choice in axis.choices] or ["HR@1"]
    cells = [_hr(one, intervals=intervals) or failed(failures.index(one) + 1) for one in done]
    rows = [
        [choice.label, *cells[index * len(columns) : (index + 1) * len(columns)]]
        for index, choice in enumerate(first.choices)
    ]
    return [" × ".join(axis.part.family for axis in plan.axes), *columns], rows


def caption(done: Sequence[Tried[Cell]]) -> str:
    """Users and protocol of all cells that have a result."""
    results = [one.result for one in done if one.result is not None]
    users = " / ".join(dict.fromkeys(f"{len(result.users):,}" for result in results))
    protocols = " / ".join(dict.fromkeys(result.protocol for result in results))
    return f"HR@1, n = {users} users. {protocols}" if results else "No cell has a result."


def synthetic_note(done: Sequence[Tried[Cell]]) -> str:
    """What to say loudly of cells whose data were generated; empty when all of them are real."""
    return synthetic_cells({one.cell.title: one.row.protocol for one in done if one.row})


def to_csv(plan: Plan, done: Sequence[Tried[Cell]]) -> str:
    """A line per cell: its components with all their settings, HR@1 with interval, cost, run id, or why it failed."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    families = [axis.part.family for axis in plan.axes]
    paths = [axis.part.path for axis in plan.axes]
    cost = ["prompt_tokens", "completion_tokens", "seconds"]
    writer.writerow(
        [*families, "hr@1", "low", "high", "n", *cost, "run_id", *(f"set:{path}" for path in paths), "left", "failure"]
    )
    for one in done:
        result, hr = one.result, one.hr
        found = [hr.mean, hr.low, hr.high, hr.n] if hr else [""] * 4
        taken = [result.cost.prompt_tokens, result.cost.completion_tokens, result.cost.seconds] if result else [""] * 3
        settings = [in_yaml(_value(fit)) for fit in one.cell.fits] or [""] * len(families)
        left = "; ".join(line for fit in one.cell.fits for line in _left(fit))
        run_id = result.run_id if result else ""
        writer.writerow([*one.cell.labels, *found, *taken, run_id, *settings, left, one.failure])
    return out.getvalue()


def _map(plan: Plan, done: Sequence[Tried[Cell]], path: Path) -> None:
    rows, columns = plan.axes
    shape = len(rows.choices), len(columns.choices)
    values = np.array([math.nan if one.hr is None else one.hr.mean for one in done]).reshape(shape)
    texts = [FAILED if one.hr is None else f"{number(one.hr.mean)}\n{spread(one.hr)}" for one in done]
    heat_map(
        path,
        [choice.label for choice in rows.choices],
        [choice.label for choice in columns.choices],
        values,
        label="HR@1, with its 95 % interval",
        texts=[texts[start : start + shape[1]] for start in range(0, len(texts), shape[1])],
        axes=(rows.part.family, columns.part.family),
    )


def _lines(plan: Plan, done: Sequence[Tried[Cell]], *, mapped: bool) -> Iterator[str]:
    families = " × ".join(axis.part.family for axis in plan.axes)
    yield f"# {markdown(plan.name)}"
    yield ""
    yield f"*Every way to choose {markdown(families)} in {markdown(plan.base.name)}: {markdown(plan.base.question)}*"
    if note := synthetic_note(done):
        yield from ("", f"> **{markdown(note)}**")
    yield ""
    heads, rows = table(plan, done, intervals=True)
    named = [[markdown(name), *values] for name, *values in rows]
    yield in_markdown(heads, named, "left", *["right"] * (len(heads) - 1))
    yield ""
    yield (
        f"{markdown(caption(done))} In brackets: 95 % interval, percentile bootstrap over users, {RESAMPLES:,} "
        "resamples, each cell by itself. With so many cells the best is partly luck: compare two of them by paired "
        "tests, `r2rec run` with an ablation."
    )
    if mapped:
        yield from ("", f"![HR@1 of every cell]({HEAT_MAP})")
    yield from reasons_in_words(done)
    yield from _settings(done)
    yield from ("", "## Cells", "")
    cells = [
        [
            *map(markdown, one.cell.labels),
            _hr(one, intervals=True) or FAILED,
            *_cost(one),
            one.row.short_id if one.row else "",
        ]
        for one in done
    ]
    heads = [*(axis.part.family for axis in plan.axes), "HR@1", "Tokens", "Seconds", "Run"]
    yield in_markdown(heads, cells, *["left"] * len(plan.axes), "right", "right", "right", "left")
    yield ""
    yield (
        "Tokens: prompt and completion. Seconds: all stages, each as long as it took when it was made, and traces that "
        "cells share are counted in each. Run: the start of the run id, which `r2rec explain` and `r2rec report` take. "
        "results.csv holds every setting that a cell ran with."
    )


def _settings(done: Sequence[Tried[Cell]]) -> Iterator[str]:
    """What of the base's settings each component did not take."""
    fits = {(fit.part.path, fit.label): fit for one in done for fit in one.cell.fits if fit.left}
    yield from ("", "## Settings", "")
    yield (
        "Each component runs with the settings that the experiment states in its place, as far as it has and takes "
        "them, and with its own defaults beyond that."
    )
    if fits:
        yield ""
    for (path, label), fit in fits.items():
        yield f"- {markdown(path)}: {markdown(label)} did not take {markdown('; '.join(_left(fit)))}"


def _left(fit: Fit) -> Iterator[str]:
    for key, (value, reason) in fit.left.items():
        now = f" (it is {in_yaml(fit.written[key])})" if key in fit.written else ""
        yield f"{key}: {in_yaml(value)}{now}, since {reason}"


def _value(fit: Fit) -> object:
    return [dict(fit.written)] if fit.part.many else dict(fit.written)


def _hr(one: Tried[Cell], *, intervals: bool) -> str:
    hr = one.hr
    if hr is None:
        return ""
    return f"{number(hr.mean)} {spread(hr)}" if intervals else number(hr.mean)


def _cost(one: Tried[Cell]) -> tuple[str, str]:
    if one.result is None:
        return "", ""
    cost = one.result.cost
    return f"{cost.prompt_tokens + cost.completion_tokens:,}", f"{cost.seconds:,.1f}"
