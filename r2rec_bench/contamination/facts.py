"""What the probe asks: facts of a data set in the words of its own files, two by two.

A fact is a cue and its answer. The answers of two facts are exchanged, and the question is which way round the model
finds likelier. Whatever makes an answer likely by itself, or a cue hard to go on from, stands on both sides and
cancels: who does not know which answer belongs to which cue is right half of the time. Ids are often given in the order
of time, which any few lines of a file betray; so the two of a pair have ids as close as the sample allows.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import numpy as np
from pydantic import Field

from r2rec_bench.core.config import Config
from r2rec_bench.core.seeds import generator
from r2rec_bench.data.base import Dataset, Fold, Folds
from r2rec_bench.data.movielens import FORM_1M, FORM_100K

ENDING, TITLE, NEIGHBOUR, RECORD = "ending", "title", "neighbour", "record"
COMMON = {ENDING}
"""Kinds of which general knowledge tells something too; the others stand in the data set alone."""
SHOWN = 4
"""Lines before each cue, from which a model that knows the file can tell that it is this one."""
_NUMBER = re.compile(r"\d+")
_FORMS = {"movielens-1m": FORM_1M, "movielens-100k": FORM_100K}


class ContaminationConfig(Config):
    """How much is asked."""

    titles: Annotated[int, Field(ge=1, le=100_000)] = 200
    """Pairs of items, or as many as there are, whose titles are exchanged."""
    neighbours: Annotated[int, Field(ge=1, le=100_000)] = 200
    """Pairs of users, or as many as there are, whose held-out interactions are exchanged."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Of the draw."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of a file, cut where the model is to go on.

    Attributes:
        cue: what is given of it.
        answer: what comes next, up to the end of a field or of the line.
    """

    cue: str
    answer: str


Pair: TypeAlias = tuple[Fact, Fact]


@dataclass(frozen=True, slots=True)
class Quiz:
    """Facts of one kind.

    Attributes:
        kind: which.
        opening: what stands before each cue: a heading and lines that are not asked about.
        pairs: of facts, each in one pair at most.
    """

    kind: str
    opening: str
    pairs: tuple[Pair, ...]

    def cells(self) -> list[tuple[str, str]]:
        """What is given and what is asked for, (4 · pairs,): the two facts of a pair, then their answers exchanged."""
        return [
            (self.opening + cue.cue, answer.answer)
            for first, second in self.pairs
            for cue, answer in ((first, first), (second, second), (first, second), (second, first))
        ]


def quizzes(dataset: Dataset, folds: Folds, fold: Fold, config: ContaminationConfig) -> tuple[Quiz, ...]:
    """All that is asked of a data set.

    Of interactions it is those that `fold` asks about: they are what a model must not have seen. The lines shown before
    them are of the training fold.
    """
    log, titles = dataset.log, dataset.catalog.titles
    form = _FORMS.get(dataset.name)
    bar, comma = (form.items_separator, form.ratings_separator) if form else (",", ",")
    item_file, log_file = (form.items, form.ratings) if form else ("items", "interactions")

    def ending(item: int) -> Fact:
        words, space, last = titles[item].rpartition(" ")
        return Fact(words, f"{space}{last}\n")

    def title(item: int) -> Fact:
        return Fact(f"{log.item_ids[item]}{bar}", f"{titles[item]}\n")

    def neighbour(row: int) -> Fact:
        return Fact(f"{log.user_ids[log.user[row]]}{comma}", f"{log.item_ids[log.item[row]]}{comma}")

    def record(row: int) -> Fact:
        edge, rating = neighbour(row), float(log.rating[row])
        values = [str(log.time[row])] if math.isnan(rating) else [f"{rating:g}", str(log.time[row])]
        return Fact(edge.cue + edge.answer, f"{comma.join(values)}\n")

    def shuffled(rows: Sequence[int], kind: str) -> list[int]:
        return generator(config.seed, "contamination", kind).permutation(np.array(rows, np.int64)).tolist()

    def told_by_id(item: int) -> bool:
        # As in generated worlds, whose titles hold the item's number: who copies it needs no memory.
        return not set(_NUMBER.findall(log.item_ids[item])).isdisjoint(_NUMBER.findall(titles[item]))

    named = shuffled([item for item in range(log.n_items) if titles[item] and not told_by_id(item)], "titles")
    worded = [item for item in named if titles[item].rpartition(" ")[0].strip()]
    asked = shuffled(folds.asked[fold].tolist(), "neighbours")
    seen = shuffled(np.flatnonzero(folds.fold == Fold.TRAIN).tolist(), "shown")
    n, m = 2 * config.titles, 2 * config.neighbours
    lines = [record(row) for row in seen[:SHOWN]]
    return (
        # In any order: items of neighbouring ids are often of the same year, and equal endings tell nothing.
        _quiz(ENDING, f"{dataset.name}, titles", worded[:n], ending, map(ending, worded[n : n + SHOWN])),
        _quiz(TITLE, f"{dataset.name}, {item_file}", sorted(named[:n]), title, map(title, named[n : n + SHOWN])),
        _quiz(NEIGHBOUR, f"{dataset.name}, {log_file}", sorted(asked[:m]), neighbour, lines),
        _quiz(RECORD, f"{dataset.name}, {log_file}", sorted(asked[:m]), record, lines),
    )


def _quiz(kind: str, heading: str, rows: Sequence[int], fact: Callable[[int], Fact], shown: Iterable[Fact]) -> Quiz:
    lines = "".join(one.cue + one.answer for one in shown)
    facts = [fact(row) for row in rows]
    return Quiz(kind, f"{heading}\n{lines}", tuple(zip(facts[::2], facts[1::2], strict=False)))
