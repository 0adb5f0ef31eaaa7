"""`r2rec run`: experiments and ablations, from data to report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

FILES = Annotated[
    list[Path],
    typer.Argument(
        help="An experiment; further files, e.g. ablations of it, add rows to its table.", metavar="FILE..."
    ),
]
SET = Annotated[list[str] | None, typer.Option("--set", metavar="KEY.PATH=VALUE", help="Change a setting.")]
OUT = Annotated[Path, typer.Option(help="Folder for reports.")]


def run(
    files: FILES,
    set_: SET = None,
    out: OUT = Path("reports"),
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Warnings only.")] = False,
) -> None:
    """Run experiments, print their table and write the report; what was done before is not done again."""
    from r2rec_bench.cli.progress import watching
    from r2rec_bench.cli.studies import artifact_store, gather, write_and_show

    store = artifact_store()
    with watching(quiet=quiet) as watcher:
        study = gather(files, set_ or [], store, watcher)
    write_and_show(store, study, out, watcher.warnings)
