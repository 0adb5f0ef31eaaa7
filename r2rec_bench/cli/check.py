"""`r2rec check`: whether components keep the contract of their family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from r2rec_bench.cli.complete import family_names
from r2rec_bench.cli.console import safe, safe_lines, stdout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from r2rec_bench.testing import Verdict

_STYLES = {"ok": "green", "BROKEN": "bold red", "skipped": "yellow"}


def check(
    family: Annotated[
        str | None, typer.Argument(help="One family only, e.g. chains.", autocompletion=family_names)
    ] = None,
    name: Annotated[str | None, typer.Argument(help="One component, as in YAML: mine, or mine:argument.")] = None,
    package: Annotated[str | None, typer.Option(help="Only what this package registers, e.g. my_package.")] = None,
) -> None:
    """Try the rules of their family on components, yours and ours; exits with 1 if one is broken."""
    console, broken = stdout(), False
    for verdict in _verdicts(family, name, package):
        broken |= verdict.status == "BROKEN"
        line = f"{verdict.status.value:<8} {verdict.family:<10} {verdict.name:<22} {verdict.seconds:5.1f} s"
        first, *rest = verdict.reason.splitlines() or [""]
        console.print(f"[{_STYLES[verdict.status]}]{safe(line)}[/]  {safe(first)}", soft_wrap=True)
        if rest:
            console.print(safe_lines("\n".join(rest)), soft_wrap=True)
    if broken:
        raise typer.Exit(1)


def _verdicts(family: str | None, name: str | None, package: str | None) -> Iterator[Verdict]:
    from r2rec_bench.core.errors import InputError
    from r2rec_bench.core.registry import FAMILIES
    from r2rec_bench.testing.running import check_family, components_of, verdict

    if package is not None:
        found = [one for one in components_of(package) if family in {None, one[0]}]
        if not found:
            raise InputError(f"no component of the package '{package}'; is it installed, with its entry point?")
        yield from (verdict(*one) for one in found)
    elif family is not None and name is not None:
        yield verdict(family, name)
    else:
        for one in [family] if family else FAMILIES:
            yield from check_family(one)
