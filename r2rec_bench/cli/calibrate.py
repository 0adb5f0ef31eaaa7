"""`r2rec calibrate`: does the bench find nothing where there is nothing, and what was planted where something was?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from r2rec_bench.cli.console import shout, stdout
from r2rec_bench.cli.run import OUT


def calibrate(
    file: Annotated[Path, typer.Argument(help="What is simulated, compared with itself and planted.", metavar="FILE")],
    seeds: Annotated[
        int | None, typer.Option(min=1, max=100, help="Behind each system of a comparison; the file's without.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Jobs side by side, in processes.")] = 1,
    out: OUT = Path("reports"),
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Warnings only.")] = False,
) -> None:
    """Compare systems with themselves and with what was planted, and say which claims hold.

    A claim that does not hold is a finding and said loudly; the exit code is 0. The same command goes on where it was
    stopped.
    """
    from r2rec_bench.calibration.claims import claims
    from r2rec_bench.calibration.definition import read_calibration
    from r2rec_bench.calibration.report import FAILS, HOLDS, synthetic_note, write
    from r2rec_bench.calibration.run import run
    from r2rec_bench.cli.progress import following
    from r2rec_bench.cli.studies import artifact_store
    from r2rec_bench.executors.processes import Processes

    planned = read_calibration(file, seeds)  # wrong settings are found before any work
    store = artifact_store()
    with following("calibrate", quiet=quiet) as watcher:
        done = run(planned, store, watcher, Processes(workers) if workers > 1 else None)
    path = write(store, done, out / planned.calibration.name)
    judged = claims(done)
    for claim in judged:
        if claim.holds:
            stdout().print(f"{HOLDS}: {claim.text} ({claim.ground})", markup=False, soft_wrap=True)
    stdout().print(f"Report: {path}", markup=False, soft_wrap=True)
    failed = [f"{FAILS}: {claim.text} ({claim.ground})" for claim in judged if not claim.holds]
    for warning in filter(None, [*watcher.warnings, synthetic_note(done), *failed]):
        shout(warning)
