"""Where data is looked for and kept: two folders, each named by an environment variable."""

from __future__ import annotations

import os
from pathlib import Path

DATA_VARIABLE = "R2REC_DATA"
CACHE_VARIABLE = "R2REC_CACHE"


def data_root() -> Path | None:
    """The user's own data, `R2REC_DATA`; none when the variable is unset or empty."""
    value = os.environ.get(DATA_VARIABLE)
    return Path(value).expanduser() if value else None


def cache_root() -> Path:
    """What may be fetched or computed again: `R2REC_CACHE`, else `~/.cache/r2rec_bench`."""
    return Path(os.environ.get(CACHE_VARIABLE) or "~/.cache/r2rec_bench").expanduser()
