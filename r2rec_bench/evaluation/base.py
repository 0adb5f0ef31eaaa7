"""The families of this room: baselines (fit and score) and rankers (from a language model's answers to scores)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from r2rec_bench.core.registry import Component, Registry
from r2rec_bench.core.texts import Prompt, Reading
from r2rec_bench.core.types import Candidates, FloatArray, InteractionLog, Ranking
from r2rec_bench.prompts.base import Asked, PromptStrategy
from r2rec_bench.prompts.wording import Wording

if TYPE_CHECKING:
    from r2rec_bench.llm.model import LanguageModel

Progress = Callable[[int, int], None]
"""Told (done, in all) now and then."""


class Contender(Component):
    """Who stands beside R2Rec in a table: a `Baseline` that is fitted, or a `Recipe` that prompts the same backbone."""


class Baseline(Contender):
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

    def ratings(self, candidates: Candidates) -> FloatArray:
        """Predicted ratings of all candidates, float64 (q, c), 1 to 5; NaN from a model that predicts none."""
        return np.full(candidates.items.shape, np.nan)


class Recipe(Contender):
    """Another way to recommend with the experiment's own backbone: the experiment with other parts.

    Data, candidates, visibility, seed, backbone and metrics stay as they are, so that its row can be compared.
    """

    @abstractmethod
    def change(self, experiment: Mapping[str, Any]) -> Mapping[str, Any]:
        """The parts that differ, by top-level key.

        Args:
            experiment: as in YAML, every setting explicit.

        Returns:
            New values for any of `chains`, `prompts`, `teacher`, `queries`, `stages` and `ranker`, as in YAML. The
            model is evaluated after the last stage; untrained where there is none.
        """


baselines: Registry[Contender] = Registry("baselines", "baseline", Contender)


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """How completions are to be read."""

    strategy: PromptStrategy
    wording: Wording

    @property
    def thinks(self) -> bool:
        """Whether thoughts come before the answer."""
        return self.strategy.thinks

    def read(self, completion: str, prompt: Prompt) -> Reading:
        """`completion`, an answer to `prompt`, parsed."""
        return self.strategy.read(completion, prompt, self.wording)


class Ranker(Component):
    """Orders candidates by what a language model answers about them."""

    outcomes: ClassVar[tuple[int, ...]]
    """The answers it asks for, ascending: 1 to 5, or 0 to 5 where "would not interact" is one."""

    @abstractmethod
    def rank(
        self, model: LanguageModel, asked: Sequence[Sequence[Asked]], reader: Reader, progress: Progress
    ) -> Ranking:
        """Scores for all candidates.

        Args:
            model: the model asked.
            asked: (q, c), the question about each candidate.
            reader: how its completions are read.
            progress: told how many candidates are done.
        """


rankers: Registry[Ranker] = Registry("rankers", "ranker", Ranker, "r2rec_bench.evaluation.rankers")
