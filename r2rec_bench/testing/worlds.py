"""Worlds small enough to check by hand and mean enough to break things.

Each has tied times, pairs that the raw data repeat, users with no, one and two interactions, items that nobody touched,
and ratings that are missing here and there, or everywhere. What a query must not see can be exchanged, and a canary put
in its place: an item that stands nowhere but in futures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import pairwise

import numpy as np

from r2rec_bench.core.seeds import generator
from r2rec_bench.core.types import Candidates, InteractionLog, ItemCatalog, Query, Visibility
from r2rec_bench.data.base import Dataset
from r2rec_bench.data.log import RawLog, build_log
from r2rec_bench.graph import InteractionGraph, VisibleGraph

USERS, ITEMS = 14, 14
CANARY = ITEMS
"""Index of the item that only futures have."""
CANARY_TITLE = "Canary"
LENGTHS = (9, 8, 7, 8, 6, 9, 5, 8, 7, 6, 8, 3, 2, 1)
START = 946_684_800  # 2000-01-01
NAN = float("nan")

Act = tuple[int, float, int]
"""What somebody did: item, rating, time."""


@dataclass(frozen=True, eq=False)
class World:
    """A log with its catalogue.

    Attributes:
        name: for messages.
        log: interactions; the last user has none, and the last item nobody touched.
        catalog: titles, that of the canary among them.
    """

    name: str
    log: InteractionLog
    catalog: ItemCatalog

    @cached_property
    def histories(self) -> list[list[Act]]:
        """Per user what they did, in log order."""
        log, offsets = self.log, self.log.offsets()
        acts = list(zip(log.item.tolist(), log.rating.tolist(), log.time.tolist(), strict=True))
        return [acts[begin:end] for begin, end in pairwise(offsets.tolist())]

    @property
    def dataset(self) -> Dataset:
        """As a source would give it."""
        return Dataset(self.name, self.log, self.catalog, True, "Generated.", "generated")

    def visible(self, query: Query, visibility: Visibility) -> VisibleGraph:
        """What `query` sees."""
        return InteractionGraph(self.log, visibility).visible(query)

    def with_histories(self, histories: list[list[Act]], name: str) -> World:
        """The same people and items with other deeds."""
        rows = [(user, *act) for user, acts in enumerate(histories) for act in acts]
        user, item, rating, time = zip(*rows, strict=True) if rows else ((), (), (), ())
        log = InteractionLog(
            np.array(user, np.int32),
            np.array(item, np.int32),
            np.array(rating, np.float32),
            np.array(time, np.int64),
            self.log.user_ids,
            self.log.item_ids,
        )
        return World(name, log, self.catalog)


@dataclass(frozen=True, slots=True)
class Moment:
    """A question: who, when, and about which item; `what` says in words what is special about it."""

    query: Query
    target: int
    what: str


@cache
def worlds() -> tuple[World, ...]:
    """One with ratings, halves and gaps among them, and the same without any."""
    rated = _rated()
    bare = replace(rated.log, rating=np.full(len(rated.log), np.nan, np.float32))
    return rated, World("unrated", bare, rated.catalog)


@cache
def moments() -> tuple[Moment, ...]:
    """Questions that can be put to every world of `worlds`, which differ in their ratings alone."""
    histories = worlds()[0].histories
    asked = [
        Moment(_query(histories, user, len(histories[user]) - back), histories[user][-back][0], what)
        for user, back, what in (
            (0, 1, "the last item of a long history"),
            (1, 2, "the last but one"),
            (4, 3, "the third from the end"),
            (11, 1, "after two interactions"),
            (12, 1, "after one interaction"),
        )
    ]
    nobody = len(histories) - 1
    seen = {item for item, *_ in histories[2]}
    strange = next(item for item in range(ITEMS) if item not in seen)
    return (
        *asked,
        Moment(_query(histories, 2, len(histories[2])), strange, "an item that the user never touched"),
        Moment(_query(histories, 3, len(histories[3])), CANARY, "an item that nobody touched"),
        Moment(_query(histories, 5, 0), histories[5][0][0], "before the first interaction"),
        Moment(Query(nobody, START, 0), 0, "a user without interactions"),
    )


def visible_graphs(
    world: World, visibilities: Sequence[Visibility] = tuple(Visibility)
) -> Iterator[tuple[VisibleGraph, Moment]]:
    """What each of `moments` sees, under each of these visibilities."""
    for visibility in visibilities:
        for moment in moments():
            yield world.visible(moment.query, visibility), moment


def other_futures(world: World, moment: Moment, visibility: Visibility) -> Iterator[World]:
    """Worlds that differ from `world` in what `moment` must not see, and in nothing else.

    In one the canary is all that follows; in the other the user came to the target at once and hated it.
    """
    for closing in (CANARY, moment.target):
        histories: list[list[Act]] = []
        for user, acts in enumerate(world.histories):
            if user == moment.query.user:
                seen = acts[: moment.query.position]
            elif visibility is Visibility.PAST:
                seen = [act for act in acts if act[2] < moment.query.time]
            else:
                histories.append(acts)
                continue
            known = {item for item, *_ in seen}
            rating = NAN if world.name == "unrated" else 1.0
            following = [item for item in dict.fromkeys((closing, CANARY)) if item not in known]
            histories.append([*seen, *((item, rating, moment.query.time + 60 * k) for k, item in enumerate(following))])
        yield world.with_histories(histories, f"{world.name}, another future")


def candidates(*, positives: bool = True) -> Candidates:
    """Lists of five items for every user, those without interactions too; the canary is in each.

    Args:
        positives: false puts every positive into another column, and gives it another rating.
    """
    log = worlds()[0].log
    lists = [generator(user, "list").permutation(ITEMS)[:4].tolist() for user in range(log.n_users)]
    items = np.array([[*chosen, CANARY] for chosen in lists], np.int32)
    queries = tuple(Query(user, START + 10**8, len(acts)) for user, acts in enumerate(worlds()[0].histories))
    column = np.full(len(items), 0 if positives else 3, np.int32)
    return Candidates(queries, items, column, np.full(len(items), 5 if positives else 1, np.float32), "")


def _query(histories: list[list[Act]], user: int, position: int) -> Query:
    acts = histories[user]
    time = acts[position][2] if position < len(acts) else acts[-1][2] + 1
    return Query(user, time, position)


def _rated() -> World:
    """Two tastes, each user's items mostly of their own half; made of raw rows as a file would have them."""
    rng = generator(0, "a small world")
    rows: list[tuple[int, int, float, int]] = []
    for user, length in enumerate(LENGTHS):
        liked = rng.permutation(ITEMS // 2) + ITEMS // 2 * (user % 2)
        others = rng.permutation(ITEMS // 2) + ITEMS // 2 * (1 - user % 2)
        items = rng.permutation(np.concatenate([liked[: length - length // 4], others[: length // 4 + 2]]))[:length]
        times = START + np.sort(rng.integers(0, 40, length)) // 3 * 86_400  # many at the same moment
        ratings = rng.choice([1.0, 2.0, 3.0, 3.5, 4.0, 5.0, NAN], length)
        rows += zip([user] * length, items.tolist(), ratings.tolist(), times.tolist(), strict=True)
    rows += [(user, item, 1.0, time + 86_400) for user, item, _, time in rows[::5]]  # the same pair again, and later
    user, item, rating, time = (np.array(column) for column in zip(*rows, strict=True))
    raw = RawLog("a small world", user, item, rating.astype(np.float32), time.astype(np.int64))
    log, _ = build_log(raw)
    log = replace(log, user_ids=(*log.user_ids, "nobody"), item_ids=(*log.item_ids, "canary"))
    titles = tuple(f"Title {chr(ord('A') + k)}" for k in range(log.n_items - 1))
    return World("rated", log, ItemCatalog((*titles, CANARY_TITLE), ("",) * log.n_items))
