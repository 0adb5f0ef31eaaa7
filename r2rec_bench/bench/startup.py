"""How long a command keeps its user waiting before it does anything, beside a Python that imports typer alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

from r2rec_bench.bench.base import Measurement, at_most, side_by_side

_COMMANDS = {("--help",): 0.3, ("list",): 1.0}
"""Arguments of `r2rec`, and the seconds that they may take."""
_PLAIN = "python -c 'import typer'"


def measure(scale: float) -> Iterator[Measurement]:
    """`r2rec --help` and `r2rec list` in processes of their own, from files that the system has in memory."""
    runs = max(2, round(9 * scale))
    for arguments, limit in _COMMANDS.items():
        r2rec(*arguments)
        ours, plain = side_by_side(lambda args=arguments: r2rec(*args), _plain, runs)
        yield Measurement(f"r2rec {' '.join(arguments)}", "s", ours, plain, _PLAIN, at_most(limit))


def r2rec(*arguments: str, **environment: str) -> None:
    """The command in a process of its own, unheard; its environment is this one's and what is given."""
    _python(
        "-c", "import sys; sys.argv[0] = 'r2rec'; from r2rec_bench.cli import main; main()", *arguments, **environment
    )


def _plain() -> None:
    _python("-c", "import typer")


def _python(*arguments: str, **environment: str) -> None:
    # Where bytecode may not be kept every start would compile the package anew, and no user's second one does.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, *arguments]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env={**kept, **environment})  # noqa: S603
