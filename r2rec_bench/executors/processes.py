"""Jobs in processes side by side on this machine."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from r2rec_bench.core.signals import leave_quietly
from r2rec_bench.executors.base import Ended, Job, done

_THREADS = "OMP_NUM_THREADS"


class Processes:
    """So many at once, each with its share of the cores.

    Args:
        workers: how many, at least 1.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def run(self, jobs: Sequence[Job]) -> Iterator[Ended]:
        """As `Executor`; where the system ends a process, as it does when memory is short, all open jobs fail."""
        context = multiprocessing.get_context("spawn")  # a forked torch may hang
        workers = max(1, min(self._workers, len(jobs)))
        with _threads_each(workers), ProcessPoolExecutor(workers, context, _end_with_parent) as pool:
            try:
                begun: dict[Future[Ended], int] = {
                    pool.submit(_done, index, job.work): index for index, job in enumerate(jobs)
                }
                for future in as_completed(begun):
                    yield _ended(future, begun[future])
            except BaseException:
                for worker in multiprocessing.active_children():
                    worker.terminate()  # it puts away what it has; without, it would be waited for
                raise
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


def _done(index: int, work: Callable[[], None]) -> Ended:
    try:
        return done(index, work)
    except SystemExit:  # told to end; the pool would take it for a result, and begin the next job here
        os._exit(1)


def _end_with_parent() -> None:
    """A worker does not outlive the process that began it, even one that was killed and could tell it nothing."""
    leave_quietly()
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _ended(future: Future[Ended], index: int) -> Ended:
    try:
        return future.result()
    except BrokenProcessPool:
        return Ended(index, 0.0, "a process was ended by the system, perhaps for want of memory; try fewer workers")


@contextmanager
def _threads_each(workers: int) -> Generator[None]:
    """Processes begun meanwhile share the cores evenly, unless somebody has said how many threads there shall be."""
    if _THREADS in os.environ:
        yield
        return
    os.environ[_THREADS] = str(max(1, len(os.sched_getaffinity(0)) // workers))
    try:
        yield
    finally:
        del os.environ[_THREADS]
