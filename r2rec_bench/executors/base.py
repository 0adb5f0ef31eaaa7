"""Jobs that leave their results in the artifact store, and who does them.

An executor fills the store; whoever needs a result then asks the store for it, as if all had been done here. So no
result depends on the executor, and what was done before an interruption is not done again.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from r2rec_bench.core.errors import R2RecError
from r2rec_bench.core.resources import measure


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work that may be done in another process.

    Attributes:
        title: for people.
        work: it, and all that it holds, can be pickled.
    """

    title: str
    work: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a job.

    Attributes:
        index: its place among the jobs.
        seconds: wall time.
        failure: why it failed, in words; empty where it did not.
    """

    index: int
    seconds: float
    failure: str


class Executor(Protocol):
    """Does jobs, as many at once as it can."""

    def run(self, jobs: Sequence[Job]) -> Iterator[Ended]:
        """Each job once, told of when it has ended; one that fails keeps no other from being done.

        Raises:
            InputError: the executor cannot work here.
        """
        ...


def done(index: int, work: Callable[[], None]) -> Ended:
    """Does a job's work where it is called."""
    failure = ""
    with measure() as watch:
        try:
            work()
        except Exception as error:  # whatever a component raises concerns its own job alone
            failure = told(error)
    return Ended(index, watch.seconds, failure)


def told(error: BaseException) -> str:
    """An error in words; of one that nobody foresaw also its kind, and where it was raised."""
    if isinstance(error, R2RecError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno}, in {frames[-1].name})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"
