"""Who is told how a run goes on: a terminal, a log, or nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Watcher(Protocol):
    """Follows a run, stage by stage."""

    def open(self, experiment: str, settings: Mapping[str, Any]) -> None:
        """What follows is part of this experiment; `settings` are all of its, as in YAML. Said before every stage."""

    def begin(self, stage: str) -> None:
        """A stage is asked for."""

    def progress(self, done: int, total: int, figures: Mapping[str, float]) -> None:
        """The stage at work is `done` of `total`; `figures` are loss, reward, tokens_per_second and the like."""

    def end(self, stage: str, seconds: float, *, cached: bool) -> None:
        """The stage is there; `seconds` is what making it took, whenever that was."""

    def result(self, system: str, run_id: str, figures: Mapping[str, float]) -> None:
        """A row of the table is there; `figures` are its means over users by metric, NaN where none has a value."""

    def warn(self, text: str) -> None:
        """Something the user must see."""


class Silent:
    """Nobody."""

    def open(self, experiment: str, settings: Mapping[str, Any]) -> None: ...

    def begin(self, stage: str) -> None: ...

    def progress(self, done: int, total: int, figures: Mapping[str, float]) -> None: ...

    def end(self, stage: str, seconds: float, *, cached: bool) -> None: ...

    def result(self, system: str, run_id: str, figures: Mapping[str, float]) -> None: ...

    def warn(self, text: str) -> None: ...


class Rows(Silent):
    """Somebody who is told of the rows of tables alone, where the stages were made elsewhere."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def open(self, experiment: str, settings: Mapping[str, Any]) -> None:
        self._watcher.open(experiment, settings)

    def result(self, system: str, run_id: str, figures: Mapping[str, float]) -> None:
        self._watcher.result(system, run_id, figures)


class Several:
    """Watchers that are all told, in their order."""

    def __init__(self, *watchers: Watcher) -> None:
        self._watchers = watchers

    def open(self, experiment: str, settings: Mapping[str, Any]) -> None:
        for watcher in self._watchers:
            watcher.open(experiment, settings)

    def begin(self, stage: str) -> None:
        for watcher in self._watchers:
            watcher.begin(stage)

    def progress(self, done: int, total: int, figures: Mapping[str, float]) -> None:
        for watcher in self._watchers:
            watcher.progress(done, total, figures)

    def end(self, stage: str, seconds: float, *, cached: bool) -> None:
        for watcher in self._watchers:
            watcher.end(stage, seconds, cached=cached)

    def result(self, system: str, run_id: str, figures: Mapping[str, float]) -> None:
        for watcher in self._watchers:
            watcher.result(system, run_id, figures)

    def warn(self, text: str) -> None:
        for watcher in self._watchers:
            watcher.warn(text)
