"""What a measurement is: runs of ours and of a plain way beside it, and the target that one of them must keep.

A file of this folder with a function `measure` is measured by `make bench` once `GROUPS` names it:

    def measure(scale: float) -> Iterator[Measurement]:
        ours, plain = side_by_side(lambda: fast(rows), lambda: slow(rows), runs=5)
        yield Measurement("what was done", "s", ours, plain, "the plain way, in words", times(100))

`scale` is 1 for the figures of the report, and less for a quick look: sizes are multiplied by it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median
from typing import TypeAlias

from r2rec_bench.core.resources import peak_bytes

Runs: TypeAlias = tuple[float, ...]
"""One value per run."""

GROUPS = ("startup", "evaluation", "chains", "data", "scoring", "rollouts", "training", "suite")
"""Modules of this folder with a function `measure`, in the order in which they are run."""


class Rule(StrEnum):
    """Which figure a target limits, and to which side."""

    TIMES = "times"
    """Times as fast, or as small, as the plain way: at least."""
    AT_MOST = "at most"
    AT_LEAST = "at least"


@dataclass(frozen=True, slots=True)
class Target:
    """What must hold of a measurement: `limit` times the plain way, or at most or at least `limit` of its unit."""

    rule: Rule
    limit: float


def times(limit: float) -> Target:
    """At least so many times as fast, or as small, as the plain way."""
    return Target(Rule.TIMES, limit)


def at_most(limit: float) -> Target:
    """At most so much of the measurement's unit."""
    return Target(Rule.AT_MOST, limit)


def at_least(limit: float) -> Target:
    """At least so much of the measurement's unit."""
    return Target(Rule.AT_LEAST, limit)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One figure; everything else about it is derived from its runs.

    Attributes:
        name: what was done, and on how much of it.
        unit: of all runs; one that ends in "/s" is better the more, any other the less.
        ours: at least one run.
        plain: runs of the plain way, measured beside ours; none where the target stands by itself.
        beside: what the plain way is; empty where there is none.
        target: what must hold; none for a figure that explains another.
        peak_bytes: peak resident memory of the process that far, which measures one group and nothing else.
    """

    name: str
    unit: str
    ours: Runs
    plain: Runs = ()
    beside: str = ""
    target: Target | None = None
    peak_bytes: int = field(default_factory=peak_bytes)

    def __post_init__(self) -> None:
        if not self.ours or bool(self.plain) != bool(self.beside):
            raise ValueError(f"'{self.name}': runs of ours, and runs of a plain way if and only if `beside` names it")
        if self.target is not None and self.target.rule is Rule.TIMES and not self.plain:
            raise ValueError(f"'{self.name}': {self.target.limit} times what? Give runs of the plain way")

    @property
    def value(self) -> float:
        """Median of our runs."""
        return median(self.ours)

    @property
    def ratio(self) -> float | None:
        """Times as fast, or as small, as the plain way, of the medians; none without one."""
        if not self.plain:
            return None
        ours, plain = self.value, median(self.plain)
        return ours / plain if self.unit.endswith("/s") else plain / ours

    @property
    def holds(self) -> bool | None:
        """Whether the target is kept; none without one."""
        if self.target is None:
            return None
        rule, limit = self.target.rule, self.target.limit
        if rule is Rule.AT_MOST:
            return self.value <= limit
        return (self.value if rule is Rule.AT_LEAST else self.ratio or 0.0) >= limit


def seconds(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds of `work`: of the wall, or by another clock, e.g. `time.process_time`."""
    start = clock()
    work()
    return clock() - start


def side_by_side(
    ours: Callable[[], object],
    plain: Callable[[], object],
    runs: int,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[Runs, Runs]:
    """`seconds` of both by turns, so that whatever else the machine does falls on both; call each once before."""
    pairs = [(seconds(ours, clock), seconds(plain, clock)) for _ in range(runs)]
    return tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs)


def per_second(n: float, taken: Runs) -> Runs:
    """Rate of `n` things in each run of so many seconds."""
    return tuple(n / one for one in taken)
