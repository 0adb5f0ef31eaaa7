"""What a piece of work took: wall seconds and memory."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(slots=True)
class Stopwatch:
    """Filled in when the measured block ends, however it ends.

    Attributes:
        seconds: wall time of the block.
        peak_bytes: peak resident memory of the whole process so far, so at least what the block needed.
    """

    seconds: float = 0.0
    peak_bytes: int = 0


@contextmanager
def measure() -> Generator[Stopwatch]:
    """Measures its block: `with measure() as watch: ...`, then `watch.seconds`."""
    watch = Stopwatch()
    start = time.perf_counter()
    try:
        yield watch
    finally:
        watch.seconds = time.perf_counter() - start
        watch.peak_bytes = peak_bytes()


def peak_bytes() -> int:
    """Peak resident memory of this process since it started, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT
