"""A group in a process of its own, where nothing else has been imported, run or kept in memory."""

from __future__ import annotations

import os
import time
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context

from r2rec_bench.bench.base import Measurement
from r2rec_bench.bench.report import Group
from r2rec_bench.core.environment import capture


def measured_alone(name: str, scale: float) -> Group:
    """The group `name`, measured."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # what runs on several cores says so
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    asked = f" --scale {scale:g}" if scale != 1 else ""
    waiting, start = os.getloadavg()[0], time.perf_counter()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        about, measurements = process.submit(_measured, name, scale).result()
    taken = time.perf_counter() - start
    return Group(about, f"python -m r2rec_bench.bench {name}{asked}", scale, capture(), waiting, taken, measurements)


def _measured(name: str, scale: float) -> tuple[str, tuple[Measurement, ...]]:
    """What a group is about, which its module says in its docstring, and its measurements."""
    module = import_module(f"r2rec_bench.bench.{name}")
    return " ".join((module.__doc__ or "").split()), tuple(module.measure(scale))
