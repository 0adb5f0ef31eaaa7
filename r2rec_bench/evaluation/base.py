"""The families of this room: baselines (fit and score) and rankers (from a language model's answers to scores)."""

from __future__ import annotations

from abc import abstractmethod

from r2rec_bench.core.registry import Component, Registry
from r2rec_bench.core.types import Candidates, FloatArray, InteractionLog


class Baseline(Component):
    """A recommender without a language model, fitted on the visible fold and asked the same frozen candidates."""

    @abstractmethod
    def fit(self, log: InteractionLog, seed: int) -> None:
        """Learn from `log`, which is the visible fold and nothing else.

        Args:
            log: interactions that queries may see; users and items without any still have their index.
            seed: for whatever is random; the same seed gives the same scores.
        """

    @abstractmethod
    def score(self, candidates: Candidates) -> FloatArray:
        """Scores of all candidates, float64 (q, c), higher is better, finite."""


baselines: Registry[Baseline] = Registry("baselines", "baseline", Baseline)
