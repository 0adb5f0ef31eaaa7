"""Signals that wait until work has been put away."""

import signal
from collections.abc import Iterator

import pytest

from r2rec_bench.core.signals import Terminated, deferred, heeded, leave_quietly


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """SIGINT as in a terminal, and afterwards both as they were."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)])
def test_a_signal_waits_until_the_block_has_ended(number: int, error: type[BaseException]):
    done: list[bool] = []

    def work() -> None:
        with heeded(), deferred() as is_waiting:
            done.append(is_waiting())
            signal.raise_signal(number)
            done.append(is_waiting())

    with pytest.raises(KeyboardInterrupt) as caught:
        work()
    assert done == [False, True]
    assert caught.type is error


def test_a_second_signal_does_not_wait():
    done: list[str] = []

    def work() -> None:
        with deferred():
            signal.raise_signal(signal.SIGINT)
            done.append("first")
            signal.raise_signal(signal.SIGINT)
            done.append("second")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["first"]


def test_a_worker_that_is_told_twice_puts_its_work_away():
    """By the terminal, and by the parent that the terminal told as well."""
    leave_quietly()
    done: list[str] = []

    def work() -> None:
        with deferred():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)
            done.append("put away")

    with pytest.raises(SystemExit) as caught:
        work()
    assert (done, caught.value.code) == (["put away"], 130)


def test_what_is_ignored_stays_so_and_ends_nothing():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with deferred() as is_waiting:
        signal.raise_signal(signal.SIGINT)
        assert not is_waiting()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_work_that_was_cut_short_never_passes_for_done():
    signal.signal(signal.SIGINT, lambda number, frame: None)
    with pytest.raises(KeyboardInterrupt), deferred():
        signal.raise_signal(signal.SIGINT)


def test_afterwards_the_signals_are_as_they_were():
    before = signal.getsignal(signal.SIGTERM)
    with heeded(), deferred():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
