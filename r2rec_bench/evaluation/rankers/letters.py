"""A letter for an answer: by the distribution over letters at the answer's place, or as the model writes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from r2rec_bench.core.types import BoolArray, FloatArray
from r2rec_bench.evaluation.base import Reader
from r2rec_bench.llm.model import LanguageModel, TokenIds
from r2rec_bench.prompts.list_wording import LETTERS, ListWording
from r2rec_bench.prompts.wording import ANSWER_CLOSE, THINK_CLOSE

_ANSWER_TOKENS = 64
"""Enough for an answer with its tags."""


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The answers to some lists.

    Attributes:
        log_share: float64 (n, c), log of how much of the choice fell on each place; NaN where it could not be read.
        completions: (n,), what was written.
        written: tokens.
    """

    log_share: FloatArray
    completions: list[str]
    written: int


@dataclass(frozen=True, slots=True, eq=False)
class Chooser:
    """Has a model choose.

    Attributes:
        model: the model asked.
        reader: whether it thinks, and in which tags.
        words: of the list.
        candidates: c, in each list.
        thought_tokens: thoughts that have not ended by then are cut, and the answer is invalid.
        told: progress, in lists.
    """

    model: LanguageModel
    reader: Reader
    words: ListWording
    candidates: int
    thought_tokens: int
    told: Callable[[int], None]

    def choose(self, asked: Sequence[TokenIds], by: Literal["likelihood", "generation"]) -> Chosen:
        """The answers to `asked`, prompts as token ids; nothing inside the thoughts is ever taken for one."""
        return (self._likelihood if by == "likelihood" else self._generation)(asked)

    def _likelihood(self, asked: Sequence[TokenIds]) -> Chosen:
        letters = LETTERS[: self.candidates]
        outcomes, lead = [self.words.outcome(letter) for letter in letters], self.reader.wording.before_answer
        limit = self.thought_tokens if self.reader.thinks else 0
        answered = self.model.answer(asked, THINK_CLOSE, limit, lead, outcomes, progress=self.told)
        ended, log_p = self._ended(answered.thoughts), answered.scores.log_probabilities
        log_share = log_p - np.logaddexp.reduce(log_p, axis=1, keepdims=True)
        log_share[~(answered.scores.valid & ended)] = np.nan
        completions = [
            lead(thought) + outcomes[place] + ANSWER_CLOSE if end else self._cut(thought)
            for thought, place, end in zip(answered.thoughts, log_p.argmax(axis=1), ended, strict=True)
        ]
        return Chosen(log_share, completions, answered.tokens + len(asked))  # the letter is one more token each

    def _generation(self, asked: Sequence[TokenIds]) -> Chosen:
        thoughts = [""] * len(asked)
        if self.reader.thinks:
            thoughts = self.model.decode(self.model.generate(asked, THINK_CLOSE, self.thought_tokens))
        rows = np.flatnonzero(self._ended(thoughts)).tolist()
        thoughts = [self._cut(thought) for thought in thoughts]
        thought_ids = self.model.encode_texts(thoughts)
        self.told(len(asked) - len(rows))
        ids = self.model.generate(
            [asked[row] + thought_ids[row] for row in rows], ANSWER_CLOSE, _ANSWER_TOKENS, progress=self.told
        )
        log_share = np.full((len(asked), self.candidates), np.nan)
        completions = list(thoughts)
        for row, text in zip(rows, self.model.decode(ids), strict=True):
            answer, closed, _ = text.partition(ANSWER_CLOSE)
            completions[row] += answer + closed
            letter = self.words.parse_answer(answer + closed)
            if letter is not None and letter in LETTERS[: self.candidates]:
                log_share[row] = -np.inf
                log_share[row, LETTERS.index(letter)] = 0
        return Chosen(log_share, completions, sum(map(len, thought_ids)) + sum(map(len, ids)))

    def _ended(self, thoughts: Sequence[str]) -> BoolArray:
        return np.array([not self.reader.thinks or THINK_CLOSE in thought for thought in thoughts])

    @staticmethod
    def _cut(thought: str) -> str:
        """Up to the end of the thoughts, since the token that ends them may say more."""
        block, closed, _ = thought.partition(THINK_CLOSE)
        return block + closed
