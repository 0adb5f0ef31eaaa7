"""How often long work keeps what it has: a setting of the machine, which decides no result."""

from __future__ import annotations

import os

from r2rec_bench.core.errors import InputError

CHECKPOINT_VARIABLE = "R2REC_CHECKPOINT_MINUTES"
_DEFAULT = 10.0


def checkpoint_seconds() -> float:
    """Time between checkpoints: `R2REC_CHECKPOINT_MINUTES`, else ten minutes.

    Raises:
        InputError: the variable is no number of minutes.
    """
    value = os.environ.get(CHECKPOINT_VARIABLE) or _DEFAULT
    try:
        minutes = float(value)
    except ValueError:
        minutes = -1.0
    if not minutes >= 0:
        raise InputError(f"{CHECKPOINT_VARIABLE} is '{value}'; expected minutes, 0 or more, such as 10")
    return 60 * minutes
