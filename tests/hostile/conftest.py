"""Thousands of hostile inputs through the command line: what comes back is a sentence, soon, and never a traceback."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import pytest
import typer.testing
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from typer.main import get_command
from typer.testing import CliRunner

from r2rec_bench.cli.app import app

_get_command = cache(get_command)  # which takes longer than most cases

_HANGS_S = 600
"""No case takes a thousandth of this; a machine under load may take its time."""
_LONGEST_MESSAGE = 40_000


@dataclass(frozen=True)
class Told:
    """What a command said, and how it ended."""

    code: int
    out: str
    error: str


@pytest.fixture
def r2rec(tmp_path, monkeypatch) -> Callable[..., Told]:
    """The command in this process, without network, its data and cache in `tmp_path`."""
    monkeypatch.setenv("R2REC_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("R2REC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("R2REC_OFFLINE", "1")
    monkeypatch.setattr(typer.testing, "_get_command", _get_command)
    (tmp_path / "data").mkdir()

    def invoke(*arguments: object) -> Told:
        with within(_HANGS_S):
            result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if not (result.exception is None or isinstance(result.exception, SystemExit)):
            raise AssertionError(f"{arguments!r} ends in a traceback") from result.exception
        assert result.exit_code in {0, 1, 2}
        # Of a wrong command line typer repeats the caller's own words.
        for text in (result.stdout, "" if result.stderr.startswith("Usage:") else result.stderr):
            assert all(letter.isprintable() or letter in "\n\t" for letter in text), ascii(text[:2_000])
        assert bool(result.stderr) or not result.exit_code
        assert len(result.stderr) < _LONGEST_MESSAGE
        return Told(result.exit_code, result.stdout, result.stderr)

    return invoke


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Raises where the body hangs, in Python or in a library that returns to it."""

    def ring(*_: object) -> None:
        raise TimeoutError(f"hangs: not done after {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(params=["short", pytest.param("long", marks=pytest.mark.long)])
def fuzz(request) -> Callable[..., None]:
    """Tries a case on drawn inputs: the same few each time, or `long`, thousands that are new every time."""
    long = request.param == "long"

    def try_out(case: Callable[..., None], *drawn: st.SearchStrategy, short: int, long_: int) -> None:
        config = settings(
            max_examples=long_ if long else short,
            derandomize=not long,
            deadline=None,
            phases=[Phase.explicit, Phase.generate, *([Phase.shrink] if long else [])],
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        config(given(*drawn)(case))()

    return try_out
