"""Which interactions are asked about in training, and among what: touched items and items never touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from r2rec_bench.core.config import Config, Tune
from r2rec_bench.core.errors import InputError
from r2rec_bench.core.seeds import generator
from r2rec_bench.core.types import NONE_RATING, RATINGS, Int64Array, InteractionLog, Query
from r2rec_bench.prompts.steps import whole_rating

UNRATED_TOUCH = 5
"""The outcome of an interaction whose rating the source does not have, or the question does not ask for."""


class QueriesConfig(Config):
    """How training questions are drawn from the visible fold."""

    n: Annotated[int, Field(ge=1, le=10_000_000)] = 40_000
    touched: Annotated[float, Field(gt=0, le=1), Tune(0.2, 0.8)] = 0.35
    """Share that asks about an interaction; the rest asks about items that the user never touched (outcome 0)."""
    latest: Annotated[int, Field(ge=1, le=10_000)] = 40
    """Only a user's latest so many interactions are asked about: tests ask about the end of a history too."""


@dataclass(frozen=True, slots=True)
class TrainingQuery:
    """A question whose answer is known: who, when, which item, and the true outcome, 0 to 5."""

    query: Query
    target: int
    answer: int


def draw_queries(
    log: InteractionLog, config: QueriesConfig, seed: int, outcomes: Sequence[int] = (NONE_RATING, *RATINGS)
) -> list[TrainingQuery]:
    """Training questions: users uniformly, then a moment among their latest, then the item.

    Untouched items are those the user has not touched in `log`: what they touch in a later fold is unknown here, and
    may well be drawn.

    Args:
        log: the visible fold.
        config: how many, and the shares.
        seed: the same seed draws the same questions.
        outcomes: the answers allowed.

    Raises:
        InputError: no user has two interactions, so that something can be asked with a history, and an item left; or
            ratings alone are asked for, and there are none.
    """
    if config.touched == 1 and np.isnan(log.rating).all():
        raise InputError(
            "the data have no ratings and queries.touched is 1, so that every answer would be the same. "
            "Lower queries.touched (0.35 is usual) and take the ranker rating_interaction"
        )
    rng = generator(seed, "training queries")
    start = log.offsets()
    length = np.diff(start)
    users = np.flatnonzero((length >= 2) & (length < log.n_items))
    if not len(users):
        raise InputError(
            f"none of the {log.n_users} users has two interactions in the visible fold and an item untouched; "
            "training questions need a history and something to ask about"
        )
    chosen = rng.choice(users, config.n)
    earliest = np.maximum(1, length[chosen] - config.latest)
    position = rng.integers(earliest, length[chosen])
    row = start[chosen] + position
    touched = rng.random(config.n) < config.touched
    target = np.where(touched, log.item[row], _untouched(log, chosen, rng))
    rating = np.array([whole_rating(r) or UNRATED_TOUCH for r in log.rating[row].tolist()])
    answer = np.where(touched, np.where(np.isin(rating, outcomes), rating, UNRATED_TOUCH), NONE_RATING)
    columns = zip(
        chosen.tolist(), log.time[row].tolist(), position.tolist(), target.tolist(), answer.tolist(), strict=True
    )
    return [TrainingQuery(Query(user, time, place), item, outcome) for user, time, place, item, outcome in columns]


def _untouched(log: InteractionLog, users: Int64Array, rng: np.random.Generator) -> Int64Array:
    """For each of `users` a uniform item outside their log, int64 (n,): draw, and draw again where it hit."""
    known = np.sort(log.user.astype(np.int64) * log.n_items + log.item)
    drawn = rng.integers(0, log.n_items, len(users))
    while True:
        pair = users * log.n_items + drawn
        place = np.minimum(np.searchsorted(known, pair), len(known) - 1)
        hit = np.flatnonzero(known[place] == pair)
        if not len(hit):
            return drawn
        drawn[hit] = rng.integers(0, log.n_items, len(hit))
