"""`r2rec explorer`: stored runs as a site to look at, which opens from disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from r2rec_bench.cli.console import shout, stdout
from r2rec_bench.cli.run import NAME, SEEDS, SET

if TYPE_CHECKING:
    from r2rec_bench.core.store import ArtifactStore
    from r2rec_bench.core.watch import Watcher
    from r2rec_bench.explorer.heat import HeatMap
    from r2rec_bench.report.study import Study


def explorer(
    what: Annotated[
        list[str],
        typer.Argument(
            help="Run ids, or their beginnings, as `r2rec compare` takes them; or the files that `run` was given.",
            metavar="RUNS...",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the site; an earlier one is replaced.")] = Path(
        "site"
    ),
    transfer: Annotated[
        list[Path] | None, typer.Option(help="A transfer study that was run: its heat map.", metavar="FILE")
    ] = None,
    first: Annotated[
        int,
        typer.Option(
            min=0, help="Candidates of each user with evidence and thoughts, beside the one taken: the first so many."
        ),
    ] = 3,
    set_: SET = None,
    seeds: SEEDS = 1,
    name: NAME = "",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Warnings only.")] = False,
) -> None:
    """Write a static site: tables and figures, every user's candidates, evidence and thoughts, two runs side by side.

    Nothing is computed that is not in the cache. The site needs no server and no network: open its index.html.
    """
    from r2rec_bench.cli.progress import watching
    from r2rec_bench.cli.studies import Wanted as WantedStudy
    from r2rec_bench.cli.studies import artifact_store, gather, runs_alone
    from r2rec_bench.core.errors import InputError
    from r2rec_bench.explorer.site import Wanted, write_site
    from r2rec_bench.report.frame import study_of

    store = artifact_store(frozen=True)
    files = [one for one in what if Path(one).suffix]
    if files and len(files) < len(what):
        raise InputError(f"run ids and files together: {', '.join(what)}; give either")
    if not files:
        runs_alone(set_, seeds)
    with watching(quiet=True) as silent:
        maps = [_heat_map(store, file, silent) for file in transfer or []]
        if files:
            study: Study = gather(WantedStudy([Path(file) for file in files], set_ or [], seeds, name), store, silent)
        else:
            study = study_of(store, what, name=name or "explorer", question="How do these systems compare?")
    with watching(quiet=quiet) as watcher:
        page = write_site(store, Wanted(study, maps, first), out, watcher)
    stdout().print(f"Explorer: {page}", markup=False, soft_wrap=True)
    for label, reason in study.failed.items():
        shout(f"{label}: {reason}")
    if study.failed:
        raise typer.Exit(1)


def _heat_map(store: ArtifactStore, file: Path, watcher: Watcher) -> HeatMap:
    from r2rec_bench.core.fingerprint import shortened
    from r2rec_bench.explorer.heat import HeatCell, HeatMap
    from r2rec_bench.transfer.definition import read_transfer
    from r2rec_bench.transfer.records import records
    from r2rec_bench.transfer.report import hit_grid, notes
    from r2rec_bench.transfer.run import run

    planned = read_transfer(file, [])
    grid = hit_grid(planned, records(run(planned, store, watcher, lambda _cell, _seed: None)))
    cells = tuple(
        HeatCell(name, one.target, one.hr, one.low, one.high, one.n, own, shortened(one.run_id), one.failure)
        for name, line, owns in zip(grid.names, grid.records, grid.own, strict=True)
        for one, own in zip(line, owns, strict=True)
        if one is not None
    )
    return HeatMap(planned.transfer.name, planned.transfer.question, tuple(notes(planned)), cells)
