"""Triples for BPR: a user, an item that they had, one that they had not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from r2rec_bench.core.types import Int64Array

if TYPE_CHECKING:
    from scipy import sparse


@dataclass(frozen=True, slots=True)
class Triples:
    """Users with an item that they had and one that they had not, each int64 (b,)."""

    user: Int64Array
    had: Int64Array
    had_not: Int64Array


class Sampler:
    """Draws triples: an interaction uniformly, with replacement, and an item uniformly among the user's others."""

    def __init__(self, matrix: sparse.csr_array, n_items: int) -> None:
        matrix = matrix.sorted_indices()
        counts = np.diff(matrix.indptr).astype(np.int64)
        rank = np.arange(matrix.nnz) - np.repeat(matrix.indptr[:-1], counts)
        self._n_items = n_items
        self._user = np.repeat(np.arange(len(counts)), counts)
        self._item = matrix.indices.astype(np.int64)
        self._start = matrix.indptr.astype(np.int64)
        # How many items that the user has not had come before each one that they had, apart for each user.
        self._others_before = self._user * (n_items + 1) + self._item - rank
        self._n_others = n_items - counts
        self._usable = np.flatnonzero(self._n_others[self._user])

    def __len__(self) -> int:
        """Interactions of users who have not had everything."""
        return len(self._usable)

    def draw(self, n: int, rng: np.random.Generator) -> Triples:
        """`n` triples, ascending by user."""
        drawn = np.sort(self._usable[rng.integers(0, len(self._usable), n)])
        user = self._user[drawn]
        other = rng.integers(0, self._n_others[user])
        # The r-th item that a user has not had is r plus the number of theirs that at most r others precede.
        passed = np.searchsorted(self._others_before, user * (self._n_items + 1) + other, side="right")
        return Triples(user, self._item[drawn], other + passed - self._start[user])
