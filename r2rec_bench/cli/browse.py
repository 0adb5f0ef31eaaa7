"""`r2rec list` and `r2rec show`: which components there are, and their settings."""

from __future__ import annotations

import inspect
import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any

import typer

from r2rec_bench.cli.console import safe, stderr, stdout

if TYPE_CHECKING:
    from rich.console import Console

    from r2rec_bench.core.registry import Component


def list_components(
    family: Annotated[str | None, typer.Argument(help="One family only, e.g. chains.")] = None,
) -> None:
    """List the families and their components, plug-ins included."""
    from r2rec_bench.core.registry import FAMILIES, Registry, registry

    console = stdout()
    for name in [family] if family else FAMILIES:
        components = registry(name)
        console.print(f"[bold]{name}[/]")
        for key, component in components:
            console.print(f"  {safe(key):<24} {safe(first_sentence(component))}", overflow="ellipsis", no_wrap=True)
    for plugin in Registry.broken:
        stderr().print(str(plugin), style="yellow", markup=False)


def show(
    name: Annotated[str, typer.Argument(help="A component, or a family followed by a component.")],
    component: Annotated[str | None, typer.Argument(help="The component, if a family came first.")] = None,
) -> None:
    """Show a component: what it does, its settings with type, range and default, and where its code is."""
    from r2rec_bench.core.registry import FAMILIES, registry

    console = stdout()
    if component is not None:
        _describe(console, name, component, registry(name).get(component))
        return
    found = [(family, registry(family)) for family in FAMILIES if name in registry(family).names()]
    if not found:
        from r2rec_bench.core.errors import unknown

        raise unknown("component", name, {key for family in FAMILIES for key in registry(family).names()})
    for family, components in found:
        _describe(console, family, name, components.get(name))


def first_sentence(component: type[Component]) -> str:
    """The beginning of a summary, up to its first full stop."""
    sentence, stop, _ = component.summary().partition(". ")
    return sentence + "." if stop else sentence


def _describe(console: Console, family: str, name: str, component: type[Component]) -> None:
    console.print(f"[bold]{safe(name)}[/]  ({family})")
    for line in (inspect.getdoc(component) or "").splitlines():
        console.print(f"  {safe(line)}", soft_wrap=True)
    config = component.config_type()
    fields, told = config.model_fields, _docstrings(config)
    defaults = config.model_construct().model_dump(mode="json", warnings=False)
    if fields:
        console.print("Settings")
    for key, field in fields.items():
        default = f"default {json.dumps(defaults[key], ensure_ascii=False)}" if key in defaults else "required"
        limits = ", ".join(filter(None, [_type_name(field.annotation), *map(_limit, field.metadata)]))
        console.print(f"  [bold]{key}[/]: {safe(limits)}; {safe(default)}", soft_wrap=True)
        if key in told:
            console.print(f"      {safe(told[key])}", soft_wrap=True)
    file, line = inspect.getsourcefile(component), inspect.getsourcelines(component)[1]
    console.print(f"Source  {safe(f'{file}:{line}')}", soft_wrap=True)


def _type_name(annotation: Any) -> str:  # noqa: ANN401  any type that a setting may have
    if isinstance(annotation, type) and not getattr(annotation, "__args__", ()):
        return annotation.__name__
    return re.sub(r"\b(?:\w+\.)+(?=\w)", "", str(annotation))


def _limit(rule: object) -> str:
    """A range or pattern of a setting in words; empty for what has none."""
    from r2rec_bench.core.config import Tune

    if isinstance(rule, Tune):
        return f"worth searching {rule.low:g} to {rule.high:g}{' (log)' if rule.log else ''}"
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "min_length": "length ≥", "max_length": "length ≤"}
    limits = [f"{sign} {getattr(rule, name)}" for name, sign in signs.items() if getattr(rule, name, None) is not None]
    return ", ".join(limits)


def _docstrings(config: type) -> dict[str, str]:
    """What stands as a string below each setting, in the class and those it inherits from."""
    import ast
    import textwrap

    told: dict[str, str] = {}
    for owner in reversed(config.__mro__):
        if owner.__module__.partition(".")[0] in {"builtins", "pydantic"}:
            continue
        [tree] = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
        body = tree.body if isinstance(tree, ast.ClassDef) else []
        for setting, below in pairwise(body):
            match setting, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    told[name] = " ".join(text.split())
                case _:
                    pass
    return told
