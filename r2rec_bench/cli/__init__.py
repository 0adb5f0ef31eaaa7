"""The command line, `r2rec`: a file per group of commands.

Commands import what they need when they run, so that `r2rec --help` answers at once.
"""

from __future__ import annotations

from r2rec_bench.cli.app import app


def main() -> None:
    """Runs `r2rec`; exits with 0 done, 1 failure, 2 bad input, 130 interrupted, 143 terminated."""
    app()
