"""What every ranker promises, of whatever a model answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.types import Ranking
from r2rec_bench.evaluation.base import Ranker, Reader
from r2rec_bench.llm.nano import Nano
from r2rec_bench.prompts.base import Asked, PromptStrategy
from r2rec_bench.prompts.direct import Direct
from r2rec_bench.prompts.progressive_mask import ProgressiveMask
from r2rec_bench.prompts.wordings import WORDINGS
from r2rec_bench.testing.comparing import require_array, require_same
from r2rec_bench.testing.contract import BreachError, require
from r2rec_bench.testing.every import contract
from r2rec_bench.testing.models import small_backbones
from r2rec_bench.testing.questions import OUTCOMES, asker
from r2rec_bench.testing.worlds import CANARY, ITEMS, moments, worlds

if TYPE_CHECKING:
    from r2rec_bench.llm.model import LanguageModel

CONTRACT = contract("rankers", Ranker)
_LISTS, _WIDTH = 2, 3
_CLOSE = 1e-3
"""How far rounding may move a score when other prompts share its batch."""


@dataclass(frozen=True, slots=True)
class Table:
    """A model and what it is asked: (lists, width) questions."""

    model: LanguageModel
    reader: Reader
    asked: Sequence[Sequence[Asked]]


@CONTRACT.rule
def outcomes_are_stated(ranker: Ranker) -> None:
    """`outcomes` are the answers it asks for, ascending and at least two: some of 0 to 5."""
    said = ranker.outcomes
    require(said == tuple(sorted({*said} & {*OUTCOMES})) and len(said) > 1, said, f"some of {OUTCOMES}, ascending")


@CONTRACT.rule
def ranking_has_its_form(ranker: Ranker) -> None:
    """Scores and ratings are float64 (q, c), `valid` is bool (q, c); an answer that is not valid has the score NaN."""
    for table in _tables(ranker):
        ranking = _ranked(ranker, table)
        shape = (len(table.asked), len(table.asked[0]))
        scores = require_array(ranking.scores, np.float64, shape, "scores")
        ratings = require_array(ranking.ratings, np.float64, shape, "ratings")
        valid = require_array(ranking.valid, np.bool_, shape, "valid")
        require(np.isfinite(scores[valid]).all(), f"scores {scores[valid]}", "finite scores of valid answers")
        require(np.isnan(scores[~valid]).all(), f"scores {scores[~valid]}", "NaN for what is not valid")
        known = ratings[~np.isnan(ratings)]
        require(((known >= 1) & (known <= 5)).all(), f"ratings {known}", "1 to 5, or NaN")


@CONTRACT.rule
def cost_and_cases_are_told(ranker: Ranker) -> None:
    """The cost counts tokens and seconds, progress ends when all is done, and cases, if any, are one per candidate."""
    for table in _tables(ranker):
        told: list[tuple[int, int]] = []
        ranking = ranker.rank(table.model, table.asked, table.reader, lambda done, n, told=told: told.append((done, n)))
        cost = ranking.cost
        require(cost.seconds > 0 and cost.prompt_tokens > 0, cost, "seconds and prompt tokens above 0")
        require(cost.completion_tokens > 0, cost, "the tokens that were written, the answers' among them")
        sane = all(0 <= done <= n for done, n in told)
        require(sane and (not told or told[-1][0] == told[-1][1]), f"progress {told}", "done up to all, at last all")
        sizes = [len(row) for row in ranking.cases]
        require(not sizes or sizes == [_WIDTH] * _LISTS, f"cases {sizes}", f"none, or {_LISTS} lists of {_WIDTH}")


@CONTRACT.rule
def ranking_again_gives_the_same(ranker: Ranker) -> None:
    """The same questions to the same model get the same scores, by this ranker and by another of its settings."""
    for table in _tables(ranker):
        first, second = (_ranked(one, table) for one in (ranker, type(ranker)(ranker.config)))
        require_same((second.scores, second.valid), (first.scores, first.valid), "ranked again", "the same scores")
        require_same(second.cases, first.cases, "ranked again", "the same texts")


@CONTRACT.rule
def lists_do_not_influence_each_other(ranker: Ranker) -> None:
    """A list on its own gets the scores that it gets beside others, but for rounding."""
    table = _tables(ranker)[-1]
    together, first = _ranked(ranker, table), table.asked[:1]
    alone = _ranked(ranker, Table(table.model, table.reader, first))
    same = np.allclose(alone.scores[0], together.scores[0], atol=_CLOSE, equal_nan=True)
    require(same, f"{alone.scores[0]} alone, {together.scores[0]} beside others", "the same scores")


def _ranked(ranker: Ranker, table: Table) -> Ranking:
    return ranker.rank(table.model, table.asked, table.reader, lambda done, n: None)


def _tables(ranker: Ranker) -> list[Table]:
    """What this ranker can rank; it may refuse a wording or a strategy, but not all of them."""
    return list(_accepted(ranker))


@cache
def _accepted(ranker: Ranker) -> tuple[Table, ...]:
    thinking, direct = ProgressiveMask(), Direct()
    refused: list[str] = []
    # A model that was never trained thinks until it is cut: where another will do, it is not asked.
    for choices in (((thinking, 0), (direct, 0)), ((direct, 1),), ((thinking, 1),)):
        accepted: list[Table] = []
        for strategy, backbone in choices:
            table = _table(strategy, backbone, ranker.outcomes)
            try:
                _ranked(ranker, table)
            except InputError as error:
                refused.append(str(error))
            else:
                accepted.append(table)
        if accepted:
            return tuple(accepted)
    raise BreachError(f"InputError: {refused[-1]}", "a ranking of at least one small model's answers")


def _table(strategy: PromptStrategy, number: int, outcomes: tuple[int, ...]) -> Table:
    backbone, model = _model(number)
    wording = WORDINGS[backbone]
    put = asker(strategy, wording, worlds()[0], outcomes=outcomes)
    lists = [put.prompts(one.query, [0, ITEMS - 1, CANARY]) for one in (moments()[0], moments()[-1])]
    return Table(model, Reader(strategy, wording), lists)


@cache
def _model(number: int) -> tuple[str, LanguageModel]:
    from r2rec_bench.llm.model import LanguageModel

    backbone = (Nano(), small_backbones()[1])[number]
    return backbone.wording, LanguageModel.load(backbone.checkpoint(), backbone.load_options())
