"""A model that answers lists of candidates as a test says, and what is asked of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from r2rec_bench.chains.base import ChainSampler, chain_samplers
from r2rec_bench.core.texts import Prompt
from r2rec_bench.core.types import Candidates, ItemCatalog, Query, Ranking
from r2rec_bench.evaluation.base import Reader
from r2rec_bench.evaluation.metrics.base import Answered
from r2rec_bench.evaluation.metrics.position_bias import PositionBias
from r2rec_bench.evaluation.rankers.listwise import Listwise, ListwiseConfig
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.llm.scores import OutcomeScores
from r2rec_bench.prompts.direct import Direct
from r2rec_bench.prompts.list_wording import LETTERS
from r2rec_bench.prompts.progressive_mask import ProgressiveMask
from r2rec_bench.prompts.verbose import Verbose

ITEMS = 40
CATALOG = ItemCatalog(tuple(f"Film {item}" for item in range(ITEMS)), ("",) * ITEMS)
DIRECT, THINKS = Reader(Direct(), Verbose()), Reader(ProgressiveMask(), Verbose())
LIST = (30, 7, 12)
SAMPLER = {"evidence": "bundle", "n": 4, "order": "any"}


def words(text: str) -> int:
    return len(text.split())


def silent(done: int, n: int) -> None:
    """Progress that nobody watches."""


def listed_films(prompt: Prompt) -> list[int]:
    """The films of a list, from its first place on; their letters must follow each other."""
    named = [re.match(r'([A-Z])\. "Film (\d+)"', piece) for piece in prompt.pieces]
    assert [match[1] for match in named if match] == list(LETTERS[: len(named)])
    return [int(match[2]) for match in named if match]


class Scripted(LanguageModel):
    """Answers lists as a test says: a distribution over places, or a text, given the films in their order.

    Args:
        likes: the films of a list → a probability per place.
        writes: the films of a list and the text that stops it → what is written.
        valid: the films of a list → whether a letter is the likeliest of all tokens.
    """

    remembers = False  # it has no model to remember with

    def __init__(
        self,
        likes: Callable[[list[int]], Sequence[float]] = lambda films: [1 / len(films)] * len(films),
        writes: Callable[[list[int], str], str] = lambda films, stop: "",
        valid: Callable[[list[int]], bool] = lambda films: True,
    ) -> None:
        self.likes, self.writes, self.valid = likes, writes, valid
        self.prompts: list[Prompt] = []
        self.texts: list[str] = []

    def count(self, text):
        return words(text)

    def encode(self, prompts):
        self.prompts += prompts
        return [[len(self.prompts) - len(prompts) + k] for k in range(len(prompts))]

    def encode_texts(self, texts):
        return [[0] * words(text) for text in texts]

    def films(self, ids):
        return listed_films(self.prompts[ids[0]])

    def outcome_scores(self, prompts, outcomes):
        assert list(outcomes) == [f" {letter}" for letter in LETTERS[: len(outcomes)]]
        rows = [self.films(ids) for ids in prompts]
        p = np.array([self.likes(films) for films in rows], dtype=np.float64)
        return OutcomeScores(np.log(p), np.array([self.valid(films) for films in rows]))

    def generate(self, prompts, stop, max_new_tokens, *, sampling=None, progress=None):
        self.texts += [self.writes(self.films(ids), stop) for ids in prompts]
        if progress:
            progress(len(prompts))
        return [[len(self.texts) - len(prompts) + k] for k in range(len(prompts))]

    def decode(self, completions):
        return [self.texts[ids[0]] for ids in completions]


def listwise(permutations: int = 3, **settings) -> Listwise:
    return Listwise(ListwiseConfig(permutations=permutations, **settings))


def always(letter: str) -> Callable[[list[int], str], str]:
    return lambda films, stop: f"<answer> {letter}</answer>"


def lists_of(scores: np.ndarray) -> Candidates:
    queries = tuple(Query(k, 0, 1) for k in range(len(scores)))
    positive = np.arange(len(scores), dtype=np.int32) % scores.shape[1]
    nothing = np.full(len(scores), np.nan, np.float32)
    return Candidates(queries, np.zeros(scores.shape, np.int32), positive, nothing, "")


def bundled(**settings) -> ChainSampler:
    cls = chain_samplers.get("closed_uniform")
    return cls(cls.config_type().model_validate(SAMPLER | settings))


def figures(ranking: Ranking) -> dict[str, float]:
    """Of the first query."""
    nobody = np.zeros(ITEMS, np.int64)
    columns = PositionBias().per_user(Answered(ranking, lists_of(ranking.scores), nobody, nobody))
    return {name: float(values[0]) for name, values in columns.items()}
