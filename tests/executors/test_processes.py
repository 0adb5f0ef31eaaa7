"""Jobs in processes: failures stay their own, and no worker outlives the one that began it."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.signals import deferred
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
from r2rec_bench.core.signals import Terminated, heeded
from r2rec_bench.executors.base import Job
from r2rec_bench.executors.processes import Processes
from test_processes import hold

if __name__ == "__main__":
    jobs = [Job(name, partial(hold, Path(sys.argv[1]) / name)) for name in sys.argv[3:]]
    try:
        with heeded():
            for ended in Processes(int(sys.argv[2])).run(jobs):
                print(ended)
    except Terminated:
        sys.exit(143)
"""


def hold(path: Path) -> None:
    """Says that it is at work and whose pipe it holds open, until it is told to end; then it puts its work away."""
    with deferred() as told:
        sys.stdout.write("working\n")
        sys.stdout.flush()
        while not told():
            os.sched_yield()
        path.touch()


def suite(folder: Path, workers: int, *names: str) -> subprocess.Popen[bytes]:
    """A process whose workers hold jobs of these names, in a process group of its own."""
    script = folder / "suite.py"
    script.write_text(SUITE)
    command = [sys.executable, script, folder, str(workers), *names]
    here = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    return subprocess.Popen(command, stdout=subprocess.PIPE, env=here, start_new_session=True)


def test_no_worker_outlives_a_suite_that_is_killed(tmp_path: Path):
    with suite(tmp_path, 1, "held") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"working\n"
        process.kill()
        # The worker holds the other end of the pipe: it is read to its end when the worker is no more.
        assert process.stdout.read() == b""


@pytest.mark.parametrize("tell", [os.kill, os.killpg], ids=["the suite alone", "its workers too"])
def test_a_suite_that_is_told_to_end_puts_away_what_was_begun_and_begins_no_more(tmp_path: Path, tell):
    with suite(tmp_path, 2, "one", "other", "never") as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == [b"working\n"] * 2
        tell(process.pid, signal.SIGTERM)
        assert process.stdout.read() == b""
    assert process.returncode == 143
    assert sorted(path.name for path in tmp_path.iterdir() if not path.suffix) == ["one", "other"]
