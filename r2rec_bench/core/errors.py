"""Errors a user can act on: what was got, what is allowed, the nearest fix."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class R2RecError(Exception):
    """A failure explained to the user; the CLI prints it without a traceback and exits with `exit_code`."""

    exit_code = 1


class InputError(R2RecError):
    """What the user gave (file, key, name, option) cannot be used."""

    exit_code = 2


class NoDataError(InputError):
    """A data set can neither be found nor fetched."""


class LeakageError(R2RecError):
    """A component saw, or was about to see, something outside a query's visible graph."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input, placed.

    `where` is a key path such as `chains.n`, or `file:line`; `nearest` is empty when nothing allowed is close.
    """

    where: str
    message: str
    nearest: str = ""

    def __str__(self) -> str:
        text = ": ".join(filter(None, [self.where, self.message]))
        return f"{text.removesuffix('.')}. Did you mean '{self.nearest}'?" if self.nearest else text


class ConfigError(InputError):
    """All problems of one configuration, reported together."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
        super().__init__("\n".join([f"{source}: {count}", *(f"  {p}" for p in problems)]))

    def __reduce__(self) -> tuple[type[ConfigError], tuple[str, tuple[Problem, ...]]]:
        # An exception is pickled by its message alone, which would break it on the way out of a worker process.
        return type(self), (self.source, self.problems)


def nearest(name: str, choices: Iterable[str]) -> str:
    """The allowed name closest to `name`, whatever the case of its letters; empty when none is close."""
    folded = {str(choice).casefold(): str(choice) for choice in choices}
    close = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.55)
    return folded[close[0]] if close else ""


def unknown(kind: str, name: str, choices: Iterable[str]) -> InputError:
    """The error for a name that is not among `choices`, with the nearest one that is."""
    allowed = sorted(choices)
    hint = nearest(name, allowed)
    suggestion = f" Did you mean '{hint}'?" if hint else ""
    return InputError(f"unknown {kind} '{name}'.{suggestion} Known: {', '.join(allowed) or 'none'}")
