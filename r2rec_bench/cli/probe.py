"""`r2rec probe`: has the backbone seen the data set before?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from r2rec_bench.cli.console import safe, stdout
from r2rec_bench.cli.run import SET


def probe(
    file: Annotated[Path, typer.Argument(help="An experiment or ablation.", metavar="EXPERIMENT")],
    set_: SET = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Warnings only.")] = False,
) -> None:
    """Ask the backbone for the data set's titles and interactions: what it knows untrained, it knows from elsewhere."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from r2rec_bench.cli.progress import watching
    from r2rec_bench.cli.studies import artifact_store
    from r2rec_bench.contamination.facts import ContaminationConfig
    from r2rec_bench.contamination.results import read
    from r2rec_bench.core.loading import load
    from r2rec_bench.experiment import Experiment
    from r2rec_bench.files import CONTAMINATION
    from r2rec_bench.inputs import Inputs
    from r2rec_bench.report.contamination import ABOUT, contamination_table

    experiment = load(file, Experiment, set_ or []).value
    asked = experiment.model_copy(update={"contamination": experiment.contamination or ContaminationConfig()})
    with watching(quiet=quiet) as watcher:
        artifact = Inputs(asked, artifact_store(), watcher).contamination
    if artifact is None:
        raise AssertionError("asked for above")
    found = read(artifact.path / CONTAMINATION)
    table = contamination_table(found, artifact)
    shown = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for head in table.heads:
        shown.add_column(head, justify="left" if head in {table.heads[0], table.heads[-1]} else "right")
    for row in table.rows:
        shown.add_row(*(safe(cell.plain) for cell in row))
    console = stdout()
    console.print(shown)
    console.print(f"{ABOUT}\n")
    console.print(f"[bold]{safe(found.verdict)}[/]")
