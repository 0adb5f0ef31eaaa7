"""The families of this room: baselines (fit and score) and rankers (from a language model's answers to scores)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from r2rec_bench.core.registry import Component, Registry
from r2rec_bench.core.texts import Prompt
from r2rec_bench.core.types import Candidates, FloatArray, InteractionLog, Ranking
from r2rec_bench.prompts.wording import Wording

if TYPE_CHECKING:
    from r2rec_bench.llm.model import LanguageModel

Progress = Callable[[int, int], None]
"""Told (done, in all) now and then."""


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


@dataclass(frozen=True, slots=True)
class Reader:
    """How completions are to be read: in which wording, and whether thoughts come before the answer."""

    wording: Wording
    thinks: bool


class Ranker(Component):
    """Orders candidates by what a language model answers about them."""

    outcomes: ClassVar[tuple[int, ...]]
    """The answers it asks for, ascending: 1 to 5, or 0 to 5 where "would not interact" is one."""

    @abstractmethod
    def rank(
        self, model: LanguageModel, prompts: Sequence[Sequence[Prompt]], reader: Reader, progress: Progress
    ) -> Ranking:
        """Scores for all candidates.

        Args:
            model: the model asked.
            prompts: (q, c), one per candidate.
            reader: how its completions are read.
            progress: told how many candidates are done.
        """


rankers: Registry[Ranker] = Registry("rankers", "ranker", Ranker, "r2rec_bench.evaluation.rankers")
