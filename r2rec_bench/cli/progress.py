"""How a run goes on: live bars in a terminal, plain lines elsewhere, warnings always; and in files, for later."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from r2rec_bench.cli.console import safe, shout, stderr
from r2rec_bench.core.watch import Several, Silent

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from r2rec_bench.tracking.log import RunLog
    from r2rec_bench.tracking.wandb import Jobs, WandbTracker


class Tracker(StrEnum):
    """Who may be told beside the terminal and the log."""

    WANDB = "wandb"


TRACK = Annotated[
    Tracker | None,
    typer.Option(help="Also log to Weights & Biases: offline, into the cache, unless WANDB_MODE says online."),
]

_FORMATS = {"loss": "loss {:.3f}", "reward": "reward {:.3f}", "tokens_per_second": "{:,.0f} tokens/s"}
"""The figures worth a place on one line."""


class Quiet(Silent):
    """Warnings only, loudly."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.warnings: list[str] = []
        self._told: set[tuple[str, float]] = set()
        self._made: list[float] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)
        shout(text)

    def tell_end(self, stage: str, seconds: float, *, cached: bool) -> None:
        """One line for a stage that is there; nothing for one that was made or found earlier in this run."""
        took = f"{seconds:,.1f} s"
        if not cached:
            self._made.append(seconds)
            self.console.print(f"[green]✓[/] {safe(stage)}: {took}")
        elif (stage, seconds) not in self._told:
            self.console.print(f"[dim]= {safe(stage)}: cached, took {took}[/]")
        self._told.add((stage, seconds))

    def tell_sum(self) -> None:
        """What was made in how long, and what was there already; nothing where no stage was asked for."""
        if self._told:
            found = len(self._told) - len(self._made)
            made = f"{len(self._made)} made in {sum(self._made):,.1f} s"
            self.console.print(f"Stages: {made}, {found} from the cache", style="dim")


class Lines(Quiet):
    """A line at each tenth of a stage, and when it is there.

    Args:
        console: where they go.
        clock: seconds since some moment.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(console)
        self._clock = clock
        self._stage = ""
        self._tenth = 0
        self._began = 0.0

    def begin(self, stage: str) -> None:
        self._stage, self._tenth, self._began = stage, 0, self._clock()

    def progress(self, done: int, total: int, figures: Mapping[str, float]) -> None:
        tenth = 10 * done // total if total else 0
        if tenth < self._tenth:  # a stage has a second part
            self._began = self._clock()
        if tenth != self._tenth:
            self._tenth = tenth
            told = [f"{safe(self._stage)}: {done} of {total}", figures_line(figures), self._left(done, total)]
            self.console.print("  ".join(filter(None, told)))

    def end(self, stage: str, seconds: float, *, cached: bool) -> None:
        self.tell_end(stage, seconds, cached=cached)

    def _left(self, done: int, total: int) -> str:
        """The time left at the pace so far; empty before there is one, and at the end."""
        if not 0 < done < total:
            return ""
        return f"{_clocked((self._clock() - self._began) * (total - done) / done)} left"


class Live(Quiet):
    """One line with a bar for the stage at work, a line for each that is done."""

    def __init__(self, console: Console, bars: Progress) -> None:
        super().__init__(console)
        self._bars = bars
        self._task: TaskID | None = None

    def begin(self, stage: str) -> None:
        self._drop()
        self._task = self._bars.add_task(safe(stage), total=None, figures="")

    def progress(self, done: int, total: int, figures: Mapping[str, float]) -> None:
        if self._task is not None:
            self._bars.update(self._task, completed=done, total=total, figures=figures_line(figures))

    def end(self, stage: str, seconds: float, *, cached: bool) -> None:
        self._drop()
        self.tell_end(stage, seconds, cached=cached)

    def _drop(self) -> None:
        if self._task is not None:
            self._bars.remove_task(self._task)
            self._task = None


@contextmanager
def watching(*, quiet: bool, plain: bool = False) -> Generator[Quiet]:
    """The watcher for this terminal, or for none; `plain` is for lines in any case."""
    console = stderr()
    if quiet:
        yield Quiet(console)
    elif plain or not console.is_terminal:
        yield Lines(console)
    else:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[figures]}"),
        )
        with Progress(*columns, console=console) as bars:
            yield Live(console, bars)


class Followed(Several):
    """A command's watcher: the terminal, the log, and who else was asked for."""

    def __init__(self, terminal: Quiet, log: RunLog, tracker: WandbTracker | None) -> None:
        super().__init__(terminal, log, *([tracker] if tracker else []))
        self.terminal = terminal
        self.tracker = tracker

    @property
    def console(self) -> Console:
        return self.terminal.console

    @property
    def warnings(self) -> list[str]:
        """All so far, in order."""
        return self.terminal.warnings


@contextmanager
def following(
    command: str,
    *,
    quiet: bool,
    plain: bool = False,
    track: Tracker | None = None,
    group: str = "",
    jobs: Jobs = "stage",
) -> Generator[Followed]:
    """The watcher of a command whose events are also written down, below the cache.

    Args:
        command: its name.
        quiet: warnings only, in the terminal.
        plain: lines instead of bars, in a terminal too.
        track: who else is told.
        group: of what is tracked; the experiment's name where empty.
        jobs: what is tracked as one.

    Raises:
        InputError: what is to track is not installed.
    """
    from datetime import UTC, datetime

    from r2rec_bench.core.paths import cache_root
    from r2rec_bench.tracking.log import RunLog
    from r2rec_bench.tracking.wandb import WandbTracker

    with watching(quiet=quiet, plain=plain) as terminal:
        tracker = WandbTracker(terminal.warn, cache_root(), group=group, jobs=jobs) if track else None
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{command}-{os.getpid()}.jsonl"
        log = RunLog(cache_root() / "logs" / name, terminal.warn)
        failure = ""
        try:
            yield Followed(terminal, log, tracker)
        except BaseException as error:
            failure = f"{type(error).__name__}: {error}"
            raise
        finally:
            if tracker:
                tracker.close(failed=bool(failure))
            log.close(failure)
            if not quiet:
                terminal.tell_sum()
                said = [f"Log: {log.path}", *([f"W&B: {tracker.folder}"] if tracker else [])]
                terminal.console.print("\n".join(said), style="dim", markup=False)


def _clocked(seconds: float) -> str:
    """Minutes and seconds, with hours where there are any: `0:42`, `1:02:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def figures_line(figures: Mapping[str, float]) -> str:
    """Loss, reward and speed, those that are given."""
    return "  ".join(form.format(figures[name]) for name, form in _FORMATS.items() if name in figures)
