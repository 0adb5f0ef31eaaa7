"""Who is told how a run goes on: a terminal, a log, or nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Watcher(Protocol):
    """Follows a run, stage by stage."""

    def begin(self, stage: str) -> None:
        """A stage is asked for."""

    def progress(self, done: int, total: int, figures: Mapping[str, float]) -> None:
        """The stage at work is `done` of `total`; `figures` are loss, reward, tokens_per_second and the like."""

    def end(self, stage: str, seconds: float, *, cached: bool) -> None:
        """The stage is there; `seconds` is what making it took, whenever that was."""

    def warn(self, text: str) -> None:
        """Something the user must see."""


class Silent:
    """Nobody."""

    def begin(self, stage: str) -> None: ...

    def progress(self, done: int, total: int, figures: Mapping[str, float]) -> None: ...

    def end(self, stage: str, seconds: float, *, cached: bool) -> None: ...

    def warn(self, text: str) -> None: ...
