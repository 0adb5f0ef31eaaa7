"""`python -m r2rec_bench.bench`: measure and write the report; what is not asked for stays as it was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from r2rec_bench.bench.alone import measured_alone
from r2rec_bench.bench.base import GROUPS
from r2rec_bench.bench.report import REPORT, load, save
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
    for place, name in enumerate(asked, 1):
        typer.echo(f"{name} ({place} of {len(asked)}) ...")
        try:
            groups[name] = measured_alone(name, scale)
        except Exception as error:  # the others are measured all the same, and what failed is said
            typer.echo(f"{name} failed: {type(error).__name__}: {error}", err=True)
            failed = True
            continue
        save(out, groups)  # before the next one, so that a stop loses no more than the group at hand
        typer.echo(f"  {groups[name].seconds:,.0f} s")
        for one in groups[name].measurements:
            typer.echo(f"  {one.name}: {one.value:,.4g} {one.unit}{'' if one.holds is not False else '  MISSED'}")
    typer.echo(str(out / REPORT))
    raise typer.Exit(_FAILURE if failed else 0)


def main() -> None:
    """Runs the command with the process's arguments."""
    try:
        app()
    except R2RecError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
