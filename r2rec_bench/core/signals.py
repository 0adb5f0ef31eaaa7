"""What ends a run from outside: Ctrl-C (SIGINT), and SIGTERM, by which schedulers say that the time is up.

Both end work at once, except where it first puts away what it has (`deferred`).
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType


class Terminated(KeyboardInterrupt):
    """SIGTERM: asks for the same as Ctrl-C."""


@contextmanager
def heeded() -> Generator[None]:
    """Inside, SIGTERM raises `Terminated`, as SIGINT raises KeyboardInterrupt anyway."""
    with _handled(_terminate, signal.SIGTERM):
        yield


def leave_quietly() -> None:
    """From now on either signal ends this process, a worker whose parent does the talking, without a word.

    What is `deferred` waits for no second one then: the terminal and the parent both tell a worker.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)


@contextmanager
def deferred() -> Generator[Callable[[], bool]]:
    """Inside, a first SIGINT or SIGTERM waits until the block ends; a second one is heeded at once, but by workers.

    Gives what says whether one is waiting: then the block should put away what it has, and end.
    """
    waiting: list[int] = []
    with _handled(lambda number, _: waiting.append(number), signal.SIGINT, signal.SIGTERM):
        yield lambda: bool(waiting)
    if waiting:
        signal.raise_signal(waiting[0])
        raise KeyboardInterrupt  # whoever heeds it has let it pass, but the block did not do all of its work


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], object], *numbers: signal.Signals) -> Generator[None]:
    """Inside, the first signal of these goes to `handler`; what is ignored, as by `nohup`, stays so.

    Outside of the main thread, which alone hears signals, none goes there.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    found = {number: signal.getsignal(number) for number in numbers}
    before = {number: earlier for number, earlier in found.items() if earlier not in (signal.SIG_IGN, None)}

    def once(number: int, frame: FrameType | None) -> None:
        if _leave not in before.values():
            restore()
        handler(number, frame)

    def restore() -> None:
        for number, earlier in before.items():
            signal.signal(number, earlier)

    for number in before:
        signal.signal(number, once)
    try:
        yield
    finally:
        restore()


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)
