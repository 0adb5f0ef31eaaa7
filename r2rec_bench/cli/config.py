"""`r2rec config`: what an experiment's file means."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from r2rec_bench.cli.console import safe, stdout
from r2rec_bench.cli.run import SET

app = typer.Typer(help="What an experiment's file means.", no_args_is_help=True)


@app.command()
def explain(
    file: Annotated[Path, typer.Argument(help="An experiment or an ablation.")],
    set_: SET = None,
) -> None:
    """Print every value with its path and where it comes from: a line of a file, --set, or a default."""
    import json

    from r2rec_bench.core.loading import load
    from r2rec_bench.experiment import Experiment

    leaves = load(file, Experiment, set_ or []).leaves
    rows = [(leaf.path, json.dumps(leaf.value, ensure_ascii=False), leaf.origin) for leaf in leaves]
    width_path, width_value = (max(len(row[column]) for row in rows) for column in (0, 1))
    console = stdout()
    for path, value, origin in rows:
        line = f"{path:{width_path}}  {value:{min(width_value, 60)}}  {origin}"
        console.print(safe(line), soft_wrap=True)


@app.callback()
def _group() -> None:
    """Keeps `explain` a command of a group, though it is the only one."""
