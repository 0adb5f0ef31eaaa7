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

    exact: ClassVar[bool] = True
    """Whether it is what its name promises; tables write "-style" behind the name of one that follows a paper's idea
    alone."""

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


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What a ranker let the model read about one candidate, and what the model said.

    Attributes:
        asked: the question with the prompt that was read and the evidence about the candidate in it.
        reading: the completion, parsed.
        verdict: the answer in words.
    """

    asked: Asked
    reading: Reading
    verdict: str


class Ranker(Component):
    """Orders candidates by what a language model answers about them."""

    @property
    @abstractmethod
    def outcomes(self) -> tuple[int, ...]:
        """The answers to training questions, ascending: 1 to 5, 0 to 5 where "would not interact" is one, or 0 and 5.

        An interaction whose rating is not among them, or has none, is answered 5.
        """

    def problem(self, reader: Reader, candidates: int) -> str:
        """Why it cannot rank lists of so many `candidates` with such prompts, and what to change; empty if it can."""
        return ""

    def retold(
        self, asked: Sequence[Asked], column: int, completion: str, reader: Reader, count: Callable[[str], int]
    ) -> Told:
        """What a run's stored case of a candidate says, for explanation.

        Args:
            asked: (c,), the question about each candidate of the query.
            column: the candidate.
            completion: what the model wrote.
            reader: how it is read.
            count: length of a text in the model's tokens.
        """
        reading = reader.read(completion, asked[column].prompt)
        return Told(asked[column], reading, _in_words(reading.answer))

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


def _in_words(answer: int | None) -> str:
    if answer is None:
        return "no answer that could be read"
    return f"rating {answer}" if answer else "would not interact"


rankers: Registry[Ranker] = Registry("rankers", "ranker", Ranker, "r2rec_bench.evaluation.rankers")
