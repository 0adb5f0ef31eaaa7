"""`r2rec transfer`: train in one domain, ask in another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from r2rec_bench.cli.console import safe, shout, show_reasons, show_table, stdout
from r2rec_bench.cli.run import OUT

if TYPE_CHECKING:
    from r2rec_bench.core.store import ArtifactStore
    from r2rec_bench.report.tried import Tried
    from r2rec_bench.transfer.cells import Cell
    from r2rec_bench.transfer.definition import Planned
    from r2rec_bench.transfer.records import Record


def transfer(
    files: Annotated[
        list[Path], typer.Argument(help="Studies: which domains, and which experiment in each.", metavar="FILE...")
    ],
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY.PATH=VALUE", help="Change a setting of the experiment, or domains, few_shot, ..."
        ),
    ] = None,
    out: OUT = Path("reports"),
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Warnings only.")] = False,
) -> None:
    """Train in each domain, ask in every other, and say how much of the in-domain gain survives.

    A cell that fails is shown with its reason, and the others go on; the exit code is then 1. The same command goes on
    where it was stopped.
    """
    from r2rec_bench.cli.studies import artifact_store
    from r2rec_bench.transfer.definition import read_transfer

    plans = [read_transfer(file, set_ or []) for file in files]  # wrong settings are found before any work
    store = artifact_store()
    complete = [_carried_out(planned, store, out / planned.transfer.name, quiet=quiet) for planned in plans]
    if not all(complete):
        raise typer.Exit(1)


def _carried_out(planned: Planned, store: ArtifactStore, folder: Path, *, quiet: bool) -> bool:
    """Runs a study, writes and prints its report; whether every cell has a result."""
    from r2rec_bench.cli.progress import following
    from r2rec_bench.report.drawing import WITHOUT, can_draw
    from r2rec_bench.transfer.cells import cells
    from r2rec_bench.transfer.records import records
    from r2rec_bench.transfer.report import synthetic_note, write
    from r2rec_bench.transfer.run import run

    order = {cell: number for number, cell in enumerate(cells(planned), 1)}
    with following("transfer", quiet=quiet) as watcher:

        def begun(cell: Cell, seed: int) -> None:
            if not quiet:
                under = f", seed {seed}" if planned.transfer.seeds > 1 else ""
                watcher.console.print(f"[bold]{order[cell]} of {len(order)}: {safe(cell.title)}{under}[/]")

        done = run(planned, store, watcher, begun)
    told = records(done)
    path = write(store, planned, done, told, folder)
    show(planned, done, told)
    stdout().print(f"Report: {path}", markup=False, soft_wrap=True)
    for warning in filter(None, [*watcher.warnings, "" if can_draw() else WITHOUT, synthetic_note(done)]):
        shout(warning)
    return not any(one.failure for one in told)


def show(planned: Planned, done: Sequence[Tried[Cell]], told: Sequence[Record]) -> None:
    """Prints HR@1 of every cell, the share of the in-domain gain behind it, and below why a cell has no number."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from r2rec_bench.report.tried import FAILED, reasons
    from r2rec_bench.transfer.report import hit_grid, notes, share_grid

    for title, grid in (
        (f"{planned.transfer.name}: HR@1", hit_grid(planned, told, intervals=False)),
        ("Share of the in-domain gain", share_grid(planned, told)),
    ):
        shown = Table(title=safe(title), title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for place, head in enumerate(grid.heads):
            shown.add_column(safe(head), justify="right" if place else "left")
        for name, texts, own in zip(grid.names, grid.texts, grid.own, strict=True):
            marked = [
                f"[bold]{safe(text)}[/]" if bold else f"[red]{safe(text)}[/]" if text.startswith(FAILED) else safe(text)
                for text, bold in zip(texts, own, strict=True)
            ]
            shown.add_row(safe(name), *marked)
        if not grid.names:
            continue
        show_table(shown)
    for note in notes(planned):
        stdout().print(note, markup=False, soft_wrap=True)
    show_reasons(reasons(done))
