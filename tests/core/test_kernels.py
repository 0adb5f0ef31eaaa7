"""Kernels: compiled when they are called, and by what they call."""

import subprocess
import sys

import numpy as np

from r2rec_bench.core.kernels import kernel, prefetch

SHARES = 3


@kernel
def third(x: float) -> float:
    """A third."""
    return x / SHARES


@kernel
def thirds(values: np.ndarray) -> float:
    total = 0.0
    for value in values:
        total += third(value)
    return total


@kernel
def last(values: np.ndarray) -> float:
    prefetch(values, len(values) - 1)
    prefetch(values, len(values))  # beyond the end there is nothing to read, and nothing happens
    return values[-1]


def test_calling_for_memory_ahead_changes_nothing():
    assert last(np.array([1.0, 2.0])) == 2.0


def test_a_kernel_does_what_its_function_does_and_may_call_another():
    assert thirds(np.array([3.0, 6.0])) == 3.0
    assert third(1.5) == 0.5
    assert third.__doc__ == "A third."


def test_kernels_wait_for_numba_until_they_are_called():
    code = "import sys, r2rec_bench.graph, r2rec_bench.data.sources.synthetic_world; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
