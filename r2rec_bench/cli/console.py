"""Where commands write: results to standard output, everything else to standard error."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_PIPED_WIDTH = 120
"""Columns where there is no terminal to fit into."""
_LONGEST_LINE = 2_000
"""Characters; the end of a longer line nobody would read."""


def stdout() -> Console:
    """For results."""
    from rich.console import Console

    return Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else _PIPED_WIDTH)


def stderr() -> Console:
    """For progress, warnings and errors; long lines are left to the terminal."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)


def show_table(table: Table) -> None:
    """Prints a table whole: where the terminal is narrower it wraps the lines, better than numbers that are cut off."""
    console = stdout()
    needed = console.measure(table, options=console.options.update(max_width=10_000)).maximum
    console.width = max(console.width, needed)
    console.print(table)


def show_reasons(reasons: Sequence[tuple[str, str]]) -> None:
    """Prints why cells of a table have no number, each with the number that stands in its place, from 1."""
    for number, (title, reason) in enumerate(reasons, 1):
        stdout().print(safe_lines(f"({number}) {title}: {reason}"), soft_wrap=True)


def safe(text: str) -> str:
    """Text from outside, fit for one line of a terminal: no control characters, and nothing in it is markup."""
    from rich.markup import escape

    return escape(visible(text))


def visible(text: str) -> str:
    """`text` on one line of bounded length, what cannot be seen replaced: nothing moves a cursor or turns a line."""
    short = text if len(text) <= _LONGEST_LINE else f"{text[:_LONGEST_LINE]}…"
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in short)


def safe_lines(text: str) -> str:
    """`safe`, line by line; only a line feed ends one."""
    return "\n".join(map(safe, text.split("\n")))


def shout(text: str) -> None:
    """A warning in a frame that nobody overlooks."""
    from rich.console import Console
    from rich.panel import Panel

    Console(stderr=True, highlight=False, emoji=False).print(
        Panel(safe_lines(text), title="WARNING", style="bold yellow")
    )
