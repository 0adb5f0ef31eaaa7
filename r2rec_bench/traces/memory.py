"""Replies that were paid for, one line of JSON each, never asked for again; and those that were lost."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from r2rec_bench.core.errors import InputError

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Remembered:
    """A reply and what it took.

    Attributes:
        key: digest of the messages and of how the reply was sampled.
        text: as the model wrote it; None where the reply may have been paid for and never came.
        cut: whether the limit of tokens ended it.
        prompt_tokens: read, as the endpoint counts them.
        completion_tokens: written, thinking that is not shown included.
        price: in the currency of the teacher's settings, at the prices of the day.
    """

    key: str
    text: str | None
    cut: bool
    prompt_tokens: int
    completion_tokens: int
    price: float


_LINE = TypeAdapter(Remembered)


class Memory:
    """The replies of one model under one way of sampling, in a file that a crash leaves readable.

    A line is on the disk before its reply is used. One process at a time has the file open; others wait.

    Args:
        path: the file; it and its folder need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._replies: dict[str, Remembered] = {}
        self._lost: dict[str, list[Remembered]] = {}
        self._file: FileIO | None = None

    def get(self, key: str) -> Remembered | None:
        """The reply under `key`, if there is one."""
        return self._replies.get(key)

    def lost(self, key: str) -> Sequence[Remembered]:
        """What under `key` was lost before the memory was opened, each with the most that it can have taken."""
        return self._lost.get(key, ())

    def keep(self, reply: Remembered) -> None:
        """Adds a reply or a loss, on the disk too; only while the memory is open."""
        if self._file is None:
            raise ValueError(f"{self.path} is not open")
        line = memoryview(_LINE.dump_json(reply) + b"\n")
        while line:  # a disk that is nearly full takes part of a line
            line = line[self._file.write(line) :]
        os.fsync(self._file.fileno())
        if reply.text is not None:
            self._replies.setdefault(reply.key, reply)

    @contextmanager
    def opened(self) -> Generator[None]:
        """Reads what is there and takes what comes.

        Raises:
            InputError: a line other than a last, torn one is no reply.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(self.path), self.path.open("ab+", buffering=0) as file:
            self._read(file)
            self._file = file
            try:
                yield
            finally:
                self._file = None

    def _read(self, file: FileIO) -> None:
        file.seek(0)
        content = file.readall()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):  # whoever wrote this died over it
            file.truncate(whole)
        self._lost = {}
        for number, line in enumerate(content[:whole].splitlines(), 1):
            try:
                reply = _LINE.validate_json(line)
            except ValidationError:
                raise InputError(
                    f"{self.path}:{number}: not a reply as a teacher keeps it. Remove this line, and its question is "
                    "asked again, or the whole file"
                ) from None
            if reply.text is None:
                self._lost.setdefault(reply.key, []).append(reply)
            else:
                self._replies.setdefault(reply.key, reply)


@contextmanager
def _locked(path: Path) -> Generator[None]:
    """Holds the file's lock; the system frees it if the process dies."""
    lock = FileLock(f"{path}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        _logger.warning("another process is asking this teacher (%s); waiting for it", path)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
