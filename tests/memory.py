"""Work in a process of its own whose memory is short, not by pretence but because the system gives it no more."""

import gc
import logging
import multiprocessing
import re
import resource
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")
_SHARE = 0.75
"""Of what the work took on its first time, what it is given on its second: half of it fits, all of it does not."""
_LEAST_BYTES = 100_000_000
"""That the work must take: much more than what comes and goes beside it."""
_MALLOC = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "1000000"}
"""Large blocks go back to the system when they are freed, and threads reserve nothing."""


def twice(work: Callable[[], T]) -> tuple[T, T, list[str]]:
    """What `work`, which can be pickled, gives with all memory, and with too little for all of it at once.

    Also what was logged that second time.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (_MALLOC | {"OMP_NUM_THREADS": "1"}).items():
            patch.setenv(name, value)
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            return pool.submit(_twice, work).result()


def _twice(work: Callable[[], T]) -> tuple[T, T, list[str]]:
    whole = work()
    gc.collect()
    now, most = _bytes("VmSize"), _bytes("VmPeak")
    assert most - now > _LEAST_BYTES
    said = Said()
    logging.getLogger("r2rec_bench").addHandler(said)
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (int(now + _SHARE * (most - now)), before[1]))
    try:
        less = work()
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    return whole, less, said.lines


class Said(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def _bytes(name: str) -> int:
    """Address space of this process, now (VmSize) or at its largest (VmPeak)."""
    found = re.search(rf"^{name}:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) * 1024
