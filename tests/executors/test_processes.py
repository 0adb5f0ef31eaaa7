"""Jobs in processes: failures stay their own, and no worker outlives the one that began it."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from r2rec_bench.core.errors import InputError
from r2rec_bench.executors.base import Job
from r2rec_bench.executors.processes import Processes


def write(path: Path) -> None:
    path.write_text(os.environ["OMP_NUM_THREADS"])


def refuse() -> None:
    raise InputError("no such thing")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_every_job_ends_once_and_a_failure_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    jobs = [
        Job("first", partial(write, tmp_path / "a")),
        Job("second", refuse),
        Job("third", partial(write, tmp_path / "b")),
    ]
    ended = sorted(Processes(2).run(jobs), key=lambda one: one.index)
    assert [(one.index, one.failure) for one in ended] == [(0, ""), (1, "no such thing"), (2, "")]
    cores = len(os.sched_getaffinity(0))
    assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text() == str(max(1, cores // 2))
    assert "OMP_NUM_THREADS" not in os.environ


def test_a_worker_that_the_system_ends_is_told(tmp_path: Path):
    (ended,) = Processes(1).run([Job("killed", die)])
    assert "ended by the system" in ended.failure


SUITE = """
import sys
from functools import partial
from pathlib import Path
from r2rec_bench.executors.base import Job
from r2rec_bench.executors.processes import Processes
from test_processes import hold

if __name__ == "__main__":
    for ended in Processes(1).run([Job("held", partial(hold, Path(sys.argv[1])))]):
        print(ended)
"""


def hold(path: Path) -> None:
    """Says that it is at work and whose pipe it holds open, until it is ended."""
    sys.stdout.write("working\n")
    sys.stdout.flush()
    signal.pause()


def test_no_worker_outlives_a_suite_that_is_killed(tmp_path: Path):
    script = tmp_path / "suite.py"
    script.write_text(SUITE)
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    with subprocess.Popen([sys.executable, script, tmp_path], stdout=subprocess.PIPE, env=here) as suite:
        assert suite.stdout is not None
        assert suite.stdout.readline() == b"working\n"
        suite.kill()
        # The worker holds the other end of the pipe: it is read to its end when the worker is no more.
        assert suite.stdout.read() == b""
