"""What happened, as JSON lines: an object for each event, in a file that a killed process leaves whole.

    {"time": "2026-01-31T12:00:00.000+00:00", "event": "progress", "stage": "sft", "done": 5, "total": 90,
     "figures": {"loss": 1.25, "tokens_per_second": 8121.0}}

Events and what they tell: open (experiment, settings), begin (stage), progress, end (stage, seconds, cached), result
(system, run_id, figures), warn (text), close (failure, empty where there was none).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO


class RunLog:
    """A `Watcher` that writes. What it cannot write stops nothing: it is said once.

    Args:
        path: appended to; its folder is made.
        warn: told when the file system refuses.
    """

    def __init__(self, path: Path, warn: Callable[[str], None]) -> None:
        self.path = path
        self._warn = warn
        self._settings: Mapping[str, Any] | None = None
        self._stage = ""
        self._hundredth = 0
        self._file: BinaryIO | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Unbuffered: each line is one call to the system, which it has whole or not at all when we are killed.
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            self._give_up(error)

    def open(self, experiment: str, settings: Mapping[str, Any]) -> None:
        if settings is not self._settings:
            self._settings = settings
            self._write("open", experiment=experiment, settings=settings)

    def begin(self, stage: str) -> None:
        self._stage, self._hundredth = stage, 0
        self._write("begin", stage=stage)

    def progress(self, done: int, total: int, figures: Mapping[str, float]) -> None:
        hundredth = 100 * done // total if total else 0
        if figures or hundredth != self._hundredth:  # a count alone is told at each hundredth
            self._hundredth = hundredth
            self._write("progress", stage=self._stage, done=done, total=total, figures=_numbers(figures))

    def end(self, stage: str, seconds: float, *, cached: bool) -> None:
        self._write("end", stage=stage, seconds=round(seconds, 3), cached=cached)

    def result(self, system: str, run_id: str, figures: Mapping[str, float]) -> None:
        self._write("result", system=system, run_id=run_id, figures=_numbers(figures))

    def warn(self, text: str) -> None:
        self._write("warn", text=text)

    def close(self, failure: str = "") -> None:
        """The command has ended; `failure` says why where it did not succeed."""
        self._write("close", failure=failure)
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, event: str, **facts: object) -> None:
        if self._file is None:
            return
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        try:
            self._file.write(json.dumps({"time": time, "event": event, **facts}).encode() + b"\n")
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self._file = None
        self._warn(f"No log of this run: {self.path}: {error.strerror}. The run goes on without.")


def _numbers(figures: Mapping[str, float]) -> dict[str, float | None]:
    """JSON has no word for what is not finite; null is what it has for missing."""
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}
