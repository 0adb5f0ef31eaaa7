"""`r2rec matrix`: every component of a family, crossed with every one of another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from r2rec_bench.cli.console import safe, shout, show_reasons, show_table, stdout
from r2rec_bench.cli.run import EXECUTOR, OUT, SET, WORKERS, executor_of

if TYPE_CHECKING:
    from r2rec_bench.matrix.plan import Cell, Plan
    from r2rec_bench.report.tried import Tried


def matrix(
    experiment: Annotated[Path, typer.Argument(help="The experiment whose parts are changed.", metavar="EXPERIMENT")],
    vary: Annotated[
        list[str],
        typer.Option(
            metavar="FAMILY[=NAME,NAME]", help="Whose components are tried: all, or those named; once or twice."
        ),
    ],
    set_: SET = None,
    executor: EXECUTOR = None,
    workers: WORKERS = None,
    out: OUT = Path("reports"),
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Warnings only.")] = False,
) -> None:
    """Run an experiment with every component of a family, or with every pair of two, and print HR@1 of each.

    A cell that fails is shown with its reason, and the others go on; the exit code is then 1.
    """
    from r2rec_bench.cli.progress import following
    from r2rec_bench.cli.studies import artifact_store
    from r2rec_bench.core.loading import load
    from r2rec_bench.core.watch import Rows
    from r2rec_bench.data.datasets import Datasets
    from r2rec_bench.experiment import Experiment
    from r2rec_bench.matrix.parts import axis
    from r2rec_bench.matrix.plan import planned
    from r2rec_bench.matrix.report import synthetic_note, write
    from r2rec_bench.matrix.run import elsewhere, run
    from r2rec_bench.report.drawing import WITHOUT, can_draw
    from r2rec_bench.report.tried import Tried

    plan = planned(load(experiment, Experiment, set_ or []).value, [axis(text) for text in vary])
    done: list[Tried[Cell]] = []
    with following("matrix", quiet=quiet) as watcher:
        store, datasets = artifact_store(), Datasets(watcher)
        if all(one.part.family != "sources" for one in plan.axes):
            datasets.of(plan.base.data, plan.base.otherwise)  # data that no cell can have are no cell's failure
        others = executor_of(executor, workers, store)
        failed = elsewhere(plan.cells, store, watcher, others) if others else {}
        for place, cell in enumerate(plan.cells):
            if place in failed:
                done.append(Tried(cell, None, failed[place]))
                continue
            if not (quiet or others):
                watcher.console.print(f"[bold]{place + 1} of {len(plan.cells)}: {safe(cell.title)}[/]")
            done.append(run(cell, store, Rows(watcher) if others else watcher, datasets))
    path = write(plan, done, out / plan.name)
    show(plan, done)
    stdout().print(f"Report: {path}", markup=False, soft_wrap=True)
    for warning in filter(None, [*watcher.warnings, "" if can_draw() else WITHOUT, synthetic_note(done)]):
        shout(warning)
    if any(one.result is None for one in done):
        raise typer.Exit(1)


def show(plan: Plan, done: Sequence[Tried[Cell]]) -> None:
    """Prints the table, its caption, and below it why a cell has no number."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from r2rec_bench.matrix.report import caption, table
    from r2rec_bench.report.tried import FAILED, reasons

    heads, rows = table(plan, done, intervals=False)
    shown = Table(title=safe(plan.name), title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    shown.add_column(safe(heads[0]), no_wrap=True)
    for head in heads[1:]:
        # Names are long and numbers short: a name takes as many lines as it has words.
        shown.add_column(safe(head).replace("_", "_\n"), justify="right", no_wrap=True)
    for row in rows:
        shown.add_row(*(f"[red]{safe(cell)}[/]" if cell.startswith(FAILED) else safe(cell) for cell in row))
    show_table(shown)
    stdout().print(caption(done), markup=False)
    show_reasons(reasons(done))
