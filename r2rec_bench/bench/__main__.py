"""`python -m r2rec_bench.bench`: measure and write the report; what is not asked for stays as it was measured."""

from __future__ import annotations

import os
import time
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import typer

from r2rec_bench.bench.base import GROUPS, Measurement
from r2rec_bench.bench.report import REPORT, Group, load, save
from r2rec_bench.core.environment import capture
from r2rec_bench.core.errors import R2RecError, unknown

_FAILURE = 1

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def bench(
    names: Annotated[list[str] | None, typer.Argument(help=f"Any of {', '.join(GROUPS)}; all without one.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the report; what it holds of other names stays.")] = Path(
        "reports/bench"
    ),
    scale: Annotated[float, typer.Option(min=1e-6, max=1, help="Share of the sizes, for a quick look.")] = 1.0,
) -> None:
    """Measure what the toolkit costs, each figure beside a plain way of doing the same."""
    asked = names or GROUPS
    for name in asked:
        if name not in GROUPS:
            raise unknown("measurement", name, GROUPS)
    groups, failed = load(out), False
    for name in asked:
        typer.echo(f"{name} ...")
        try:
            groups[name] = _in_a_process_of_its_own(name, scale)
        except Exception as error:  # the others are measured all the same, and what failed is said
            typer.echo(f"{name} failed: {type(error).__name__}: {error}", err=True)
            failed = True
            continue
        save(out, groups)
        for one in groups[name].measurements:
            typer.echo(f"  {one.name}: {one.value:,.4g} {one.unit}{'' if one.holds is not False else '  MISSED'}")
    typer.echo(str(out / REPORT))
    raise typer.Exit(_FAILURE if failed else 0)


def _in_a_process_of_its_own(name: str, scale: float) -> Group:
    """Measured where nothing else has been imported, run or kept in memory."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # what runs on several cores says so
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    asked = f" --scale {scale:g}" if scale != 1 else ""
    waiting, start = os.getloadavg()[0], time.perf_counter()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        about, measurements = process.submit(_measured, name, scale).result()
    taken = time.perf_counter() - start
    return Group(about, f"python -m r2rec_bench.bench {name}{asked}", scale, capture(), waiting, taken, measurements)


def _measured(name: str, scale: float) -> tuple[str, tuple[Measurement, ...]]:
    """What a group is about, which its module says in its docstring, and its measurements."""
    module = import_module(f"r2rec_bench.bench.{name}")
    return " ".join((module.__doc__ or "").split()), tuple(module.measure(scale))


def main() -> None:
    """Runs the command with the process's arguments."""
    try:
        app()
    except R2RecError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
