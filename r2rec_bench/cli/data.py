"""`r2rec data`: find, fetch, check and count data sets."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, cast

import typer

from r2rec_bench.cli.complete import component_names
from r2rec_bench.cli.console import safe, stdout

if TYPE_CHECKING:
    from r2rec_bench.data.base import Dataset
    from r2rec_bench.data.stats import DataStats

app = typer.Typer(help="Find, fetch, check and count data sets.", no_args_is_help=True)
NAME = Annotated[
    str,
    typer.Argument(
        help="A data source, e.g. movielens-1m; `r2rec list sources` has them all.",
        autocompletion=component_names("sources"),
    ),
]


def dataset_named(name: str) -> Dataset:
    """The data set `name`, or `name:argument`, with default settings otherwise."""
    from pydantic import TypeAdapter, ValidationError

    from r2rec_bench.core.config import problems_of
    from r2rec_bench.core.errors import InputError
    from r2rec_bench.data.base import Source
    from r2rec_bench.experiment import Experiment, SourceSpec

    try:
        spec = TypeAdapter(SourceSpec).validate_python(name)
    except ValidationError as error:
        raise InputError("; ".join(str(problem) for problem in problems_of(error, Experiment))) from None
    return cast("Source", spec.build()).load()


@app.command()
def prepare(name: NAME) -> None:
    """Find or fetch a data set, check all of it, and say where it is and what its licence allows."""
    dataset = dataset_named(name)
    console = stdout()
    console.print(f"{safe(dataset.name)}: {len(dataset.log):,} interactions", soft_wrap=True)
    console.print(f"Read from: {safe(dataset.origin)}", soft_wrap=True)
    console.print(f"Licence: {safe(dataset.licence)}", soft_wrap=True)
    for reason, count in dataset.drops.items():
        console.print(f"By rule, {safe(reason)}: {count:,}", soft_wrap=True)


@app.command()
def stats(name: NAME, json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Count users, items, interactions, ratings and drops."""
    from r2rec_bench.data.stats import stats as counted

    found = counted(dataset_named(name))
    if json:
        from pydantic import TypeAdapter

        typer.echo(TypeAdapter(type(found)).dump_json(found, indent=2).decode())
        return
    console = stdout()
    for label, value in _lines(found):
        console.print(f"{label:<22} {safe(value)}", soft_wrap=True)


def _lines(s: DataStats) -> list[tuple[str, str]]:
    first, last = (datetime.fromtimestamp(time, UTC).date().isoformat() for time in (s.first_time, s.last_time))
    return [
        ("data set", f"{s.name}{', SYNTHETIC' if s.synthetic else ''}"),
        ("users", f"{s.users:,}"),
        ("items", f"{s.items:,}"),
        ("interactions", f"{s.interactions:,}"),
        ("density", f"{s.density:.3%}"),
        ("per user", f"{s.fewest} to {s.most}, median {s.median:g}"),
        *((f"rated {rating:g}", f"{count:,}") for rating, count in s.ratings.items()),
        ("without rating", f"{s.missing_ratings:,}"),
        ("time", f"{first} to {last}"),
        *(("by rule", f"{reason}: {count:,}") for reason, count in s.drops.items()),
        ("read from", s.origin),
        ("licence", s.licence),
    ]
