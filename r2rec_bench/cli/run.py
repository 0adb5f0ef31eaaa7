"""`r2rec run`: experiments and ablations, from data to report."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from r2rec_bench.cli.progress import TRACK

if TYPE_CHECKING:
    from r2rec_bench.core.store import ArtifactStore
    from r2rec_bench.executors.base import Executor

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


class Executes(StrEnum):
    """Who runs experiments side by side."""

    processes = "processes"
    ray = "ray"


EXECUTOR = Annotated[
    Executes | None,
    typer.Option(
        help="Who runs experiments side by side, or of one alone the parts of evaluation and annotation: processes of "
        "this machine, or Ray: the cluster at RAY_ADDRESS, else one started here. Processes with --workers above 1."
    ),
]
WORKERS = Annotated[
    int | None,
    typer.Option(min=1, help="Experiments, or parts, side by side. Of Ray without: one per GPU, else one per machine."),
]


def run(
    files: FILES,
    set_: SET = None,
    seeds: SEEDS = 1,
    executor: EXECUTOR = None,
    workers: WORKERS = None,
    name: NAME = "",
    out: OUT = Path("reports"),
    track: TRACK = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Warnings only.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="For programs: the closing table as JSON, and lines in place of bars.")
    ] = False,
) -> None:
    """Run experiments, print their table and write the report; what was done before is not done again.

    Ablations change the first file's experiment, whichever they name themselves. One that fails is told in the report,
    and the others go on; the exit code is then 1.
    """
    from r2rec_bench.cli.closing import written_as_json
    from r2rec_bench.cli.progress import following
    from r2rec_bench.cli.studies import Wanted, artifact_store, gather, write_and_show

    store = artifact_store()
    with following("run", quiet=quiet, plain=json, track=track) as watcher:
        wanted = Wanted(files, set_ or [], seeds, name)
        study = gather(wanted, store, watcher, executor_of(executor, workers, store))
    if json:
        typer.echo(written_as_json(store, study, out, watcher.warnings))
    else:
        write_and_show(store, study, out, watcher.warnings)
    if study.failed:
        raise typer.Exit(1)


def executor_of(executor: Executes | None, workers: int | None, store: ArtifactStore) -> Executor | None:
    """Who runs the experiments; None for this process."""
    from r2rec_bench.executors.processes import Processes
    from r2rec_bench.executors.ray import Ray

    if executor is Executes.ray:
        return Ray(store.root, workers)
    return Processes(workers or 1) if executor or (workers or 1) > 1 else None
