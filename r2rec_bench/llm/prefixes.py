"""Prompts that begin alike: what they share is read once, and they come in the same batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

TokenIds = list[int]

_WORTH_SHARING = 0.25
"""Share of all tokens that common beginnings must spare before they are read apart: that takes a pass of its own."""


@dataclass(frozen=True, slots=True)
class Group:
    """Prompts with a common beginning.

    Attributes:
        rows: the prompts.
        shared: tokens that all begin with; fewer than any of them has.
    """

    rows: tuple[int, ...]
    shared: int


def grouped(prompts: Sequence[TokenIds]) -> list[Group]:
    """All of `prompts`, at least one token each, in groups by which few tokens are read; each alone if it is not fewer.

    Whatever the order of `prompts`, the same ones come together: they are taken in the order of a dictionary, where
    those that begin alike stand side by side.
    """
    groups: list[Group] = []
    rows: list[int] = []
    shared = 0
    for row in sorted(range(len(prompts)), key=lambda row: prompts[row]):
        most = len(prompts[row]) - 1
        if rows:
            common = min(shared, most, alike(prompts[rows[-1]], prompts[row]))
            # One more reader spares `common`; all others but the first lose what the group now shares less.
            if common > (len(rows) - 1) * (shared - common):
                rows.append(row)
                shared = common
                continue
            groups.append(Group(tuple(rows), shared))
        rows, shared = [row], most
    groups += [Group(tuple(rows), shared)] if rows else []
    spared = sum((len(group.rows) - 1) * group.shared for group in groups)
    return groups if spared > _WORTH_SHARING * sum(map(len, prompts)) else alone(len(prompts))


def alone(prompts: int) -> list[Group]:
    """So many prompts that share nothing."""
    return [Group((row,), 0) for row in range(prompts)]


def batches(prompts: Sequence[TokenIds], groups: Sequence[Group], extra: int, most: int) -> Iterator[list[int]]:
    """Rows in batches of like length, the rows of a group together.

    Args:
        prompts: token ids, (n,) of any lengths.
        groups: all of them.
        extra: tokens that a row is to be continued by.
        most: tokens of a batch, padding included; a single row may have more.
    """
    lengths = [len(prompt) for prompt in prompts]
    order = sorted(groups, key=lambda group: (group.shared, max(lengths[row] for row in group.rows), group.rows))
    batch: list[int] = []
    width = 0
    for row in (row for group in order for row in group.rows):
        width = max(width, lengths[row] + extra)
        if batch and width * (len(batch) + 1) > most:
            yield batch
            batch, width = [], lengths[row] + extra
        batch.append(row)
    if batch:
        yield batch


def alike(first: Sequence[int], second: Sequence[int]) -> int:
    """Tokens that two texts have in common before they first differ."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))
