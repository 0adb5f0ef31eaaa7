"""Who works on a study: each worker holds a lock that the system frees when it dies, and signs its trials.

So a worker on the same machine, or on the same file system, is known to be dead at once. One elsewhere is so when it
has not been heard of for a while, which is Optuna's heartbeat.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from filelock import FileLock, Timeout

_SIGNATURE = "worker"


class Worker:
    """This process, as long as it is entered.

    Args:
        folder: of the locks of all workers.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.signature = {_SIGNATURE: uuid4().hex}
        self._folder = folder
        self._path = _lock_of(folder, self.signature)
        self._lock = FileLock(self._path)

    def __enter__(self) -> Worker:
        self._lock.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self._path.unlink(missing_ok=True)
        self._lock.release()

    @contextmanager
    def outlived(self, attributes: Mapping[str, Any]) -> Generator[bool]:
        """Whether the worker that signed a trial's `attributes` is known to be dead; one worker alone is told so."""
        path = _lock_of(self._folder, attributes)
        if not is_signed(attributes) or not path.exists():
            yield False
            return
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            path.unlink(missing_ok=True)
            lock.release()


def is_signed(attributes: Mapping[str, Any]) -> bool:
    """Whether a trial's attributes say who works on it."""
    return _SIGNATURE in attributes


def _lock_of(folder: Path, attributes: Mapping[str, Any]) -> Path:
    return folder / f"{attributes.get(_SIGNATURE)}.lock"
