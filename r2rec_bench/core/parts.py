"""Long work in parts: each made here or elsewhere, kept as soon as it is whole, and found when the work is begun again.

How work falls into parts is decided by the work alone and not by who does it, so that no result depends on that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias

from r2rec_bench.core.errors import R2RecError
from r2rec_bench.core.unfinished import Unfinished

Write: TypeAlias = Callable[[Path], None]
"""Writes the files of a part into the empty folder it is given."""
Spread: TypeAlias = Callable[[Sequence[Callable[[], None]]], None]
"""Has pieces of work, each of which can be pickled, done in other processes; raises an R2RecError where one fails."""


def made(unfinished: Unfinished, here: Sequence[Write], there: Sequence[Write], spread: Spread | None) -> list[Path]:
    """The folders of all parts, in order; they stay until the work is done.

    Args:
        unfinished: where parts are kept, and those of an interrupted run are found.
        here: makes each part in this process.
        there: makes the same parts in any other; can be pickled.
        spread: who has others make what is missing; without one it is made here, part after part.

    Raises:
        R2RecError: another process failed, or left nothing here.
    """
    names = [f"part-{number:05d}" for number in range(len(here))]
    missing = [number for number, name in enumerate(names) if unfinished.find(name) is None]
    if spread is None or len(missing) < 2:
        for number in missing:
            unfinished.keep(names[number], here[number])
    else:
        spread([partial(_keep, unfinished.folder, names[number], there[number]) for number in missing])
        for number in missing:
            if unfinished.find(names[number]) is None:
                raise R2RecError(f"another process was to leave {names[number]} in {unfinished.folder}, and did not")
    return [unfinished.folder / name for name in names]


def _keep(folder: Path, name: str, write: Write) -> None:
    Unfinished(folder).keep(name, write)
