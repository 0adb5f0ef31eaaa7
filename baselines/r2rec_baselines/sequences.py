"""Histories in order: what comes before each interaction, cut into windows that fit a sequence model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from r2rec_bench.core.types import Int64Array, InteractionLog


@dataclass(frozen=True, slots=True, eq=False)
class Histories:
    """Every user's interactions in log order, repeats kept, with the token that precedes each of them.

    The token of an item is its index; one more stands for the start of a history, so that a first interaction has
    something before it too, and fills the end of windows that are too short, where nothing is learnt.

    Attributes:
        before: int64 (n,), the token before each interaction of the log.
        item: int64 (n,), the item of each interaction.
        offsets: int64 (users + 1,), user u owns rows offsets[u] to offsets[u + 1].
        start: the token for the start of a history, the number of items.
    """

    before: Int64Array
    item: Int64Array
    offsets: Int64Array
    start: int

    @classmethod
    def of(cls, log: InteractionLog) -> Histories:
        """The histories of `log`."""
        item, offsets, start = log.item.astype(np.int64), log.offsets(), log.n_items
        before = np.concatenate([[start], item])[: len(item)]
        before[offsets[:-1][np.diff(offsets) > 0]] = start
        return cls(before, item, offsets, start)

    def known(self, user: int) -> int:
        """How many interactions of a user there are."""
        return int(self.offsets[user + 1] - self.offsets[user])

    def windows(self, length: int, rng: np.random.Generator) -> Int64Array:
        """Rows [first, last) of the log that are read together, int64 (windows, 2), in random order.

        Every interaction is in exactly one window. A history that fits one window is not cut; the first cut of a
        longer one is drawn anew at every call, so that over the epochs an item is seen with more and less before it.

        Args:
            length: most interactions in a window.
            rng: draws the cuts and the order.
        """
        begins, n = self.offsets[:-1], np.diff(self.offsets)
        first = np.where(n > length, rng.integers(1, length + 1, size=len(n)), n)
        more = -(-(n - first) // length)
        user = np.repeat(np.arange(len(n)), np.where(n > 0, more + 1, 0))
        # 0, 1, 2, ... within each user.
        nth = np.arange(len(user)) - np.searchsorted(user, user)
        cut = begins[user] + first[user]
        last = np.minimum(cut + nth * length, self.offsets[user + 1])
        start = np.where(nth == 0, begins[user], cut + (nth - 1) * length)
        return rng.permutation(np.stack([start, last], axis=1))

    def context(self, user: int, length: int) -> Int64Array:
        """The last `length` tokens of a user's history, int64 (tokens,), the start of the history included."""
        items = self.item[self.offsets[user] : self.offsets[user + 1]]
        return np.concatenate([[self.start], items])[-length:]


def padded(sequences: Sequence[Int64Array], fill: int) -> Int64Array:
    """Sequences side by side, int64 (sequences, longest), shorter ones filled with `fill` at the end."""
    table = np.full((len(sequences), max(map(len, sequences))), fill, dtype=np.int64)
    for row, sequence in zip(table, sequences, strict=True):
        row[: len(sequence)] = sequence
    return table
