"""What every split promises."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.types import InteractionLog, Visibility
from r2rec_bench.data.base import Fold, Folds, Split
from r2rec_bench.testing.comparing import refusal, require_array, require_same, require_unchanged, told
from r2rec_bench.testing.contract import require
from r2rec_bench.testing.every import contract
from r2rec_bench.testing.worlds import START, World, worlds

CONTRACT = contract("splits", Split, sourced=False)
_ASKED = (Fold.VALIDATION, Fold.TEST)


@CONTRACT.rule
def every_row_has_a_fold(split: Split) -> None:
    """Folds are int8, one per interaction, and a user's rows are in ascending order of fold."""
    for world, folds in _split(split):
        require(folds.log is world.log or told(folds.log) == told(world.log), "another log", "the log that was given")
        fold = require_array(folds.fold, np.int8, (len(world.log),), "fold")
        require(set(fold.tolist()) <= set(Fold), f"folds {sorted(set(fold.tolist()))}", f"of {[*map(int, Fold)]}")
        used = fold >= 0
        back = (np.diff(fold[used]) < 0) & (np.diff(world.log.user[used]) == 0)
        require(not back.any(), "a row of an earlier fold after one of a later fold", "ascending folds within a user")


@CONTRACT.rule
def who_is_asked_is_known(split: Split) -> None:
    """At most one row per user is asked about in a fold; it is of that fold, and the user has an earlier one to see."""
    for world, folds in _split(split):
        require(set(folds.asked) == set(_ASKED), f"asked in {sorted(folds.asked)}", "validation and test")
        for asking in _ASKED:
            rows = require_array(folds.asked[asking], np.int64, (len(folds.asked[asking]),), "asked")
            users = world.log.user[rows]
            require(len(rows), f"nobody is asked in {asking.name}", "at least one, or an InputError")
            require(len(set(users.tolist())) == len(users), "a user who is asked twice", "at most one row per user")
            require((folds.fold[rows] == asking).all(), "a row of another fold", f"rows of {asking.name}")
            seen = folds.visible_log(asking)
            strangers = sorted(set(users.tolist()) - set(seen.user.tolist()))
            require(not strangers, f"user index {strangers[:1]}, of whom nothing is seen", "users with a history")


@CONTRACT.rule
def nothing_seen_is_later_than_what_is_asked(split: Split) -> None:
    """What may be learnt from comes before the question: of the same user always, of everybody with visibility past."""
    for world, folds in _split(split):
        for asking in _ASKED:
            rows = folds.asked[asking]
            visible = np.flatnonzero((folds.fold >= 0) & (folds.fold < asking))
            for row in rows.tolist():
                own = visible[world.log.user[visible] == world.log.user[row]]
                require((own < row).all(), f"row {own.max(initial=0)} is seen when {row} is asked", "earlier rows only")
            if split.default_visibility is Visibility.PAST:
                latest, first = world.log.time[visible].max(), world.log.time[rows].min()
                require(latest <= first, f"an interaction at {latest} is seen at {first}", "nobody's future in sight")


@CONTRACT.rule
def the_same_log_gives_the_same_folds(split: Split) -> None:
    """Splitting again gives the same folds, and the log is left as it was."""
    for world, folds in _split(split):
        before = told(world.log)
        again = type(split)(split.config).split(world.log)
        require_same((again.fold, again.asked), (folds.fold, folds.asked), "the same log", "the same folds")
        require_unchanged(before, world.log, "the log")


@CONTRACT.rule
def ratings_do_not_matter(split: Split) -> None:
    """Folds depend on who did what when, and never on the ratings, which are the answers."""
    for world, folds in _split(split):
        turned = split.split(replace(world.log, rating=(6 - world.log.rating).astype(np.float32)))
        require_same((turned.fold, turned.asked), (folds.fold, folds.asked), "other ratings", "the same folds")


@CONTRACT.rule
def what_cannot_be_split_is_refused(split: Split) -> None:
    """A log of which a fold would be empty is refused with an InputError that says why."""
    for histories in ([[(0, 4.0, START)]], [[(0, 4.0, START)], [(1, 3.0, START)], [(0, 5.0, START)]]):
        log = _padded(worlds()[0].with_histories(histories, "one interaction each").log, len(histories))
        refused = refusal(lambda log=log: split.split(log), InputError)
        require(refused is not None, f"folds of {len(log)} users with one interaction each", "an InputError")


def _split(split: Split) -> Iterator[tuple[World, Folds]]:
    yield from ((world, split.split(world.log)) for world in worlds())


def _padded(log: InteractionLog, users: int) -> InteractionLog:
    return replace(log, user_ids=log.user_ids[:users])
