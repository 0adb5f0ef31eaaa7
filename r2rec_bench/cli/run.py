"""`r2rec run`: experiments and ablations, from data to report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from r2rec_bench.cli.progress import TRACK

FILES = Annotated[
    list[Path],
    typer.Argument(
        help="An experiment; further files, e.g. ablations of it, add rows to its table.", metavar="FILE..."
    ),
]
SET = Annotated[list[str] | None, typer.Option("--set", metavar="KEY.PATH=VALUE", help="Change a setting.")]
OUT = Annotated[Path, typer.Option(help="Folder for reports.")]
SEEDS = Annotated[
    int, typer.Option(min=1, help="Run each system under so many seeds, from the experiment's own upwards.")
]
NAME = Annotated[str, typer.Option(help="Of the study and its report's folder; the files' names when empty.")]


def run(
    files: FILES,
    set_: SET = None,
    seeds: SEEDS = 1,
    workers: Annotated[int, typer.Option(min=1, help="Experiments run side by side, in processes.")] = 1,
    name: NAME = "",
    out: OUT = Path("reports"),
    track: TRACK = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Warnings only.")] = False,
) -> None:
    """Run experiments, print their table and write the report; what was done before is not done again.

    Ablations change the first file's experiment, whichever they name themselves. One that fails is told in the report,
    and the others go on; the exit code is then 1.
    """
    from r2rec_bench.cli.progress import following
    from r2rec_bench.cli.studies import Wanted, artifact_store, gather, write_and_show
    from r2rec_bench.executors.processes import Processes

    store = artifact_store()
    with following("run", quiet=quiet, track=track) as watcher:
        wanted = Wanted(files, set_ or [], seeds, name)
        study = gather(wanted, store, watcher, Processes(workers) if workers > 1 else None)
    write_and_show(store, study, out, watcher.warnings)
    if study.failed:
        raise typer.Exit(1)
