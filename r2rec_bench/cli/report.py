"""`r2rec report`: the report of what was run before, rendered again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from r2rec_bench.cli.run import NAME, OUT, SEEDS, SET


def report(
    what: Annotated[list[str], typer.Argument(help="A run id, or the files that `run` was given.", metavar="WHAT...")],
    set_: SET = None,
    seeds: SEEDS = 1,
    name: NAME = "",
    out: OUT = Path("reports"),
) -> None:
    """Write a report again from the cache; nothing is computed that is not there."""
    from r2rec_bench.cli.progress import watching
    from r2rec_bench.cli.studies import Wanted, artifact_store, gather, of_run, runs_alone, write_and_show

    store = artifact_store(frozen=True)
    if len(what) == 1 and not Path(what[0]).suffix:
        runs_alone(set_, seeds)
        write_and_show(store, of_run(store, what[0], name), out, ())
        return
    with watching(quiet=True) as watcher:
        study = gather(Wanted([Path(file) for file in what], set_ or [], seeds, name), store, watcher)
    write_and_show(store, study, out, watcher.warnings)
    if study.failed:
        raise typer.Exit(1)
