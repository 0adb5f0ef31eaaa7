"""What every metric promises."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from r2rec_bench.core.seeds import generator
from r2rec_bench.core.types import Candidates, Case, Cost, FloatArray, Ranking
from r2rec_bench.evaluation.base import Reader
from r2rec_bench.evaluation.metrics.base import Answered, Metric, Reasoning
from r2rec_bench.evaluation.results import KEY_COLUMNS
from r2rec_bench.prompts.progressive_mask import ProgressiveMask
from r2rec_bench.prompts.wordings import WORDINGS
from r2rec_bench.testing.comparing import require_array, require_same, require_unchanged, told
from r2rec_bench.testing.contract import require
from r2rec_bench.testing.every import contract
from r2rec_bench.testing.questions import asker, thoughts_on
from r2rec_bench.testing.worlds import candidates, worlds
from r2rec_bench.traces.base import Lesson

CONTRACT = contract("metrics", Metric, sourced=False)


@CONTRACT.rule
def columns_are_one_value_per_user(metric: Metric) -> None:
    """Columns are float64, one value per user, finite or NaN, under names that every system's result has."""
    names: set[str] = set()
    for what, answered in _answers().items():
        columns = metric.per_user(answered)
        require(columns, f"no column ({what})", "at least one")
        taken = sorted(set(columns) & set(KEY_COLUMNS))
        require(not taken, f"a column {taken}", f"names other than {', '.join(KEY_COLUMNS)}")
        for name, values in columns.items():
            array = require_array(values, np.float64, (len(answered.candidates),), f"{name}, {what}")
            require(not np.isinf(array).any(), f"infinite {name} ({what})", "finite values, or NaN where undefined")
        require(not names or names == set(columns), f"{sorted(columns)} ({what})", f"the same columns, {sorted(names)}")
        names = set(columns)


@CONTRACT.rule
def measuring_again_gives_the_same(metric: Metric) -> None:
    """The same answer gives the same values, whatever was measured before, and is left as it was."""
    for what, answered in _answers().items():
        before = told((answered.ranking, answered.candidates, answered.item_seen))
        first, second = (one.per_user(answered) for one in (metric, type(metric)(metric.config)))
        require_same(second, first, f"measured again, {what}", "the same values")
        require_unchanged(before, (answered.ranking, answered.candidates, answered.item_seen), "the answer")


@CONTRACT.rule
def a_user_counts_alone(metric: Metric) -> None:
    """A user's values are the same with other users beside them and without: results are paired by user."""
    for what, answered in _answers().items():
        whole = metric.per_user(answered)
        some = metric.per_user(_of(answered, [4, 1, 9]))
        for name, values in whole.items():
            same = np.allclose(some[name], values[[4, 1, 9]], equal_nan=True, rtol=1e-12)
            require(same, f"{name} {some[name]} of three users, {values[[4, 1, 9]]} of all ({what})", "the same values")


@CONTRACT.rule
def better_is_in_the_stated_direction(metric: Metric) -> None:
    """The answer that is right about everything is not worse than the one that is wrong about everything."""
    better = metric.higher_is_better
    require(better in {True, False, None}, f"higher_is_better {better!r}", "True, False, or None where neither is")
    right, wrong = (metric.per_user(_answers()[what]) for what in ("all right", "all wrong"))
    for name in right if better is not None else ():
        gain = (right[name] - wrong[name]) * (1 if better else -1)
        known = gain[~np.isnan(gain)]
        said = f"{name} {right[name][:3]} where all is right, {wrong[name][:3]} where all is wrong"
        require((known >= 0).all(), said, f"the other way round, with higher_is_better={better}")


@cache
def _answers() -> dict[str, Answered]:
    """Answers of every kind: right, wrong, tied, invalid in part and in whole, without ratings, and with reasoning."""
    lists = candidates()
    shape, rng = lists.items.shape, generator(0, "answers")
    right = (np.arange(shape[1]) == lists.positive[:, None]).astype(np.float64)
    given = np.where(right == 1, lists.rating[:, None], 3.0).astype(np.float64)
    blank = np.full(shape, np.nan)
    partly = np.where(rng.random(shape) < 0.5, np.nan, rng.random(shape))
    unrated = replace(lists, rating=np.full(len(lists), np.nan, np.float32))
    ranked = {
        "all right": _answered(lists, right, given),
        "all wrong": _answered(lists, -right, 6 - given),
        "ties": _answered(lists, np.zeros(shape), blank),
        "answers invalid in part": _answered(lists, partly, np.where(np.isnan(partly), np.nan, 2.5)),
        "no valid answer": _answered(lists, blank, blank),
        "data without ratings": _answered(unrated, rng.random(shape), blank),
    }
    return ranked | {"reasoning": _reasoned(ranked["all right"])}


def _answered(lists: Candidates, scores: FloatArray, ratings: FloatArray) -> Answered:
    log = worlds()[0].log
    seen = np.bincount(log.item, minlength=log.n_items)
    position = np.array([query.position for query in lists.queries], np.int64)
    return Answered(Ranking(scores, ratings, np.isfinite(scores), Cost(1.0, 10, 10)), lists, seen, position)


def _reasoned(answered: Answered) -> Answered:
    """The same, from a model that wrote sound thoughts about every candidate and writes the same again."""
    strategy, wording, lists = ProgressiveMask(), WORDINGS["verbose"], answered.candidates
    put = asker(strategy, wording, worlds()[0])
    asked = [put.prompts(query, row.tolist()) for query, row in zip(lists.queries, lists.items, strict=True)]
    cases = tuple(
        tuple(
            Case(
                one.prompt.content,
                strategy.complete(thoughts_on(Lesson(one.question, one.prompt, one.steps, 4), wording), 4, wording),
            )
            for one in row
        )
        for row in asked
    )
    ranking = replace(answered.ranking, cases=cases)

    def again(questions: object) -> Ranking:
        return ranking

    return replace(answered, ranking=ranking, reasoning=Reasoning(asked, Reader(strategy, wording), again))


def _of(answered: Answered, rows: list[int]) -> Answered:
    """The same answer to some of the lists."""
    lists, ranking, reasoning = answered.candidates, answered.ranking, answered.reasoning
    fewer = replace(
        lists,
        queries=tuple(lists.queries[row] for row in rows),
        items=lists.items[rows],
        positive=lists.positive[rows],
        rating=lists.rating[rows],
    )
    cut = replace(
        ranking,
        scores=ranking.scores[rows],
        ratings=ranking.ratings[rows],
        valid=ranking.valid[rows],
        cases=tuple(ranking.cases[row] for row in rows) if ranking.cases else (),
    )
    if reasoning is not None:
        reasoning = Reasoning([reasoning.asked[row] for row in rows], reasoning.reader, lambda questions: cut)
    return replace(answered, ranking=cut, candidates=fewer, user_seen=answered.user_seen[rows], reasoning=reasoning)
