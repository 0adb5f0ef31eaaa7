"""`r2rec list` and `r2rec show`: which components there are, and their settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from r2rec_bench.cli.complete import component_names, family_names
from r2rec_bench.cli.console import safe, safe_lines, stderr, stdout

if TYPE_CHECKING:
    from rich.console import Console

    from r2rec_bench.core.describe import Description, Setting

_NAME_WIDTH = 22
_NARROWEST = 60
"""Columns below which nothing can be read; the terminal wraps what does not fit."""


def list_components(
    family: Annotated[
        str | None, typer.Argument(help="One family only, e.g. chains.", autocompletion=family_names)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Everything that `show` says, for programs.")] = False,
) -> None:
    """List the families and their components, plug-ins included."""
    from r2rec_bench.core.registry import FAMILIES

    families = [family] if family else list(FAMILIES)
    if json:
        typer.echo(_as_json(families))
    else:
        for index, name in enumerate(families):
            _list_family(stdout(), name, in_full=family is not None, apart=index > 0)
    _tell_broken()


def show(
    name: Annotated[
        str,
        typer.Argument(help="A component, with its family before it where you like.", autocompletion=component_names()),
    ],
    component: Annotated[
        str | None,
        typer.Argument(help="The component, if a family came first.", autocompletion=component_names()),
    ] = None,
) -> None:
    """Show a component: what it does, its settings with range and default, and where its code is.

    `r2rec show recent`, `r2rec show chains recent` and `r2rec show chains/recent` are the same.
    """
    from r2rec_bench.core.describe import describe
    from r2rec_bench.core.registry import registry

    family, _, name = (name, "", component) if component is not None else name.rpartition("/")
    console = stdout()
    for index, found in enumerate([family] if family else _families_with(name)):
        if index:
            console.print()
        _show(console, describe(found, name, registry(found).get(name)))


def _families_with(name: str) -> list[str]:
    """The families that have a component of this name.

    Raises:
        InputError: none has.
    """
    from r2rec_bench.core.errors import unknown
    from r2rec_bench.core.registry import FAMILIES, registry

    found = [family for family in FAMILIES if name in registry(family).names()]
    if not found:
        _tell_broken()
        raise unknown("component", name, {key for family in FAMILIES for key in registry(family).names()})
    return found


def _list_family(console: Console, family: str, *, in_full: bool, apart: bool) -> None:
    """A line per component; `in_full` takes the lines that it needs."""
    from r2rec_bench.core.describe import first_sentence, origin
    from r2rec_bench.core.registry import registry

    if apart:
        console.print()
    console.print(
        f"[bold]{safe(family)}[/]  {safe(registry(family).base.summary())}", overflow="ellipsis", no_wrap=True
    )
    for name, component in registry(family):
        came = origin(component)
        stranger = "" if came.ours else f"  ({came})"
        line = f"  {name:<{_NAME_WIDTH}} {first_sentence(component.summary())}{stranger}"
        if in_full:
            _print(console, line, hanging=_NAME_WIDTH + 3)
        else:
            console.print(safe(line), overflow="ellipsis", no_wrap=True)


def _show(console: Console, described: Description) -> None:
    console.print(f"[bold]{safe(described.name)}[/]  ({safe(described.family)})")
    for paragraph in (described.purpose, *described.details):
        _print(console, paragraph, indent=2)
        console.print()
    if described.settings:
        console.print("Settings")
        for setting in described.settings:
            _show_setting(console, setting, 2)
        console.print()
    if described.source:
        _print(console, f"Source  {described.source}", hanging=8)
    _print(console, f"From    {described.origin}", hanging=8)
    if described.path is not None:
        console.print(safe(f"Code    {described.path}:{described.line}"), soft_wrap=True)


def _show_setting(console: Console, setting: Setting, indent: int) -> None:
    default = "required" if setting.default is None else setting.default
    searched = f"worth searching {setting.searched}" if setting.searched else ""
    rules = "; ".join(filter(None, [setting.kind, setting.limits, searched]))
    _print(console, f"{setting.name}: {default}", indent=indent, hanging=indent + 6, style="bold")
    _print(console, rules, indent=indent + 4, style="dim")
    _print(console, setting.meaning, indent=indent + 4)
    for part in setting.parts:
        _show_setting(console, part, indent + 4)


def _print(console: Console, text: str, *, indent: int = 0, hanging: int | None = None, style: str = "") -> None:
    """Text in lines that fit the terminal, all but the first `hanging` columns in; lists and code keep their lines."""
    import textwrap

    from rich.text import Text

    for line in text.splitlines():
        first, rest = " " * indent, " " * (indent if hanging is None else hanging)
        for part in textwrap.wrap(line, max(console.width, _NARROWEST), initial_indent=first, subsequent_indent=rest):
            console.print(Text.from_markup(safe(part), style=style), soft_wrap=True)


def _as_json(families: list[str]) -> str:
    import json
    from dataclasses import asdict

    from r2rec_bench.core.describe import describe
    from r2rec_bench.core.registry import registry

    listed = [asdict(describe(family, name, one)) for family in families for name, one in registry(family)]
    return json.dumps(listed, ensure_ascii=False, indent=1, default=str)


def _tell_broken() -> None:
    from r2rec_bench.core.registry import Registry

    for plugin in Registry.broken:
        stderr().print(safe_lines(str(plugin)), style="yellow")
