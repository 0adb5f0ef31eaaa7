"""The words for a list of candidates, each behind a letter; the answer is a letter."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from string import ascii_uppercase

from r2rec_bench.core.types import ItemCatalog
from r2rec_bench.graph import VisibleGraph

LETTERS = ascii_uppercase
"""One per place of a list, in order; more candidates than letters cannot be listed."""


class ListWording(ABC):
    """What a wording that has words for lists says."""

    @abstractmethod
    def system(self, *, thinks: bool) -> str:
        """The instruction; a model that thinks does so freely, since no thought is due on any piece of evidence."""

    @abstractmethod
    def head(self, visible: VisibleGraph, catalog: ItemCatalog, history: int, *, rated: bool, recency: bool) -> str:
        """Who is asked: their latest `history` interactions, with `recency` the very latest once more."""

    @abstractmethod
    def candidate(self, letter: str, visible: VisibleGraph, target: int, catalog: ItemCatalog, *, rated: bool) -> str:
        """A candidate behind its letter, and how it is known."""

    @abstractmethod
    def ask(self, letters: Sequence[str]) -> str:
        """The question, its closing edge masked."""

    @abstractmethod
    def outcome(self, letter: str) -> str:
        """The answer token of a letter."""

    @abstractmethod
    def parse_answer(self, text: str) -> str | None:
        """The letter of an answer with its tags; None for anything else."""
