"""The values that cross rooms: frozen, slotted, with shapes and units in their docstrings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
Float32Array: TypeAlias = NDArray[np.float32]
Int32Array: TypeAlias = NDArray[np.int32]
Int64Array: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]

SECONDS_PER_DAY = 86_400

NONE_RATING = 0
"""The outcome "would not interact", beside the ratings 1 to 5."""

RATINGS = (1, 2, 3, 4, 5)


@dataclass(frozen=True, slots=True, eq=False)
class InteractionLog:
    """Who interacted with what, when: sorted by user, then by the order in which that user acted.

    Attributes:
        user: int32 (n,), index into `user_ids`, non-decreasing.
        item: int32 (n,), index into `item_ids`.
        rating: float32 (n,), 1 to 5, NaN where the source has none.
        time: int64 (n,), seconds since 1970 UTC, non-decreasing within a user.
        user_ids: original ids, (users,).
        item_ids: original ids, (items,).
    """

    user: Int32Array
    item: Int32Array
    rating: Float32Array
    time: Int64Array
    user_ids: tuple[str, ...]
    item_ids: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.user)

    @property
    def n_users(self) -> int:
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        return len(self.item_ids)

    @property
    def has_ratings(self) -> bool:
        return bool(np.isfinite(self.rating).any())

    def select(self, mask: BoolArray) -> InteractionLog:
        """The same log with only the interactions where `mask`, bool (n,), is true; indices keep their meaning."""
        return InteractionLog(
            self.user[mask], self.item[mask], self.rating[mask], self.time[mask], self.user_ids, self.item_ids
        )

    def offsets(self) -> Int64Array:
        """Start of each user's run, int64 (users + 1,): user u owns rows offsets[u] to offsets[u + 1]."""
        return np.concatenate([[0], np.cumsum(np.bincount(self.user, minlength=self.n_users))]).astype(np.int64)


@dataclass(frozen=True, slots=True)
class ItemCatalog:
    """What an item is called, by item index. Titles come from outside and are treated as hostile text."""

    titles: tuple[str, ...]
    attributes: tuple[str, ...]
    """Short free text per item (genres, brand), empty where the source has none."""


class Visibility(StrEnum):
    """Which of other people's edges a query may see."""

    FOLD = "fold"
    """The whole fold, as the literature does under leave-last-out."""
    PAST = "past"
    """Only edges before the query's time; required under a temporal split."""


@dataclass(frozen=True, slots=True)
class Query:
    """A user at a moment.

    Attributes:
        user: user index.
        time: seconds since 1970 UTC.
        position: how many of the user's own interactions come before the moment, in log order. The log's order
            wins over `time`, which ties often (several ratings in one second, day-granular stamps).
    """

    user: int
    time: int
    position: int


@dataclass(frozen=True, slots=True)
class Edge:
    """One visible interaction: user —rating→ item at `time` (s UTC), the user's `position`-th in log order."""

    user: int
    item: int
    rating: float
    time: int
    position: int


@dataclass(frozen=True, slots=True)
class Chain:
    """A closed interaction chain u0 → i0 → u1 → ... → target → u0, its closing edge masked.

    That of a random walk need not end in the target.

    Attributes:
        edges: the known edges in walking order: (u0, i0), (u1, i0), (u1, i1), ...
        gap_steps: for the last peer, log positions from the shared item to the last one; negative if before.
        gap_days: the same in days.
    """

    edges: tuple[Edge, ...]
    gap_steps: int
    gap_days: float

    @property
    def anchor(self) -> int:
        """The item i0 through which the chain leaves u0."""
        return self.edges[0].item

    @property
    def end(self) -> int:
        """The item in which the chain ends; of a closed chain the target."""
        return self.edges[-1].item

    @property
    def peers(self) -> tuple[int, ...]:
        return tuple(edge.user for edge in self.edges[2::2])


@dataclass(frozen=True, slots=True)
class Bundle:
    """All closed chains of a query that share one item i0 and the target, folded into exact counts.

    The query user is in none of the counts. With order `any`, `n_forward` is `n_peers` and `forward_lift` is `lift`.

    Attributes:
        anchor: the user's own edge to the shared item i0.
        steps_ago: own interactions between the anchor and the query, 1 = the latest.
        n_anchor: others who interacted with i0.
        n_target: others who interacted with the target.
        n_peers: others who interacted with both: the number of chains.
        lift: n_peers over its expectation if the two items were independent, smoothed.
        n_forward: peers who came to the target within the window of steps after i0.
        forward_lift: n_forward over its expectation if next items were drawn by popularity, smoothed.
        mean_rating: mean rating of the target by the peers, NaN when none rated it.
        n_agree: peers whose rating of i0 is within 1 of the user's own.
        agree_rating: mean rating of the target by those, NaN when none.
    """

    anchor: Edge
    steps_ago: int
    n_anchor: int
    n_target: int
    n_peers: int
    lift: float
    n_forward: int
    forward_lift: float
    mean_rating: float
    n_agree: int
    agree_rating: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a sampler gives a prompt for one (query, target): single chains or bundles, never both."""

    query: Query
    target: int
    chains: tuple[Chain, ...] = ()
    bundles: tuple[Bundle, ...] = ()

    def __len__(self) -> int:
        return len(self.chains) or len(self.bundles)


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """The frozen candidate lists: every model of a table reads the same ones.

    Attributes:
        queries: (q,) who is asked, when.
        items: int32 (q, c), shuffled.
        positive: int32 (q,), column of the positive in `items`.
        digest: SHA-256 of the content, hex.
        rating: float32 (q,), the positive's true rating, NaN where the source has none.
    """

    queries: tuple[Query, ...]
    items: Int32Array
    positive: Int32Array
    rating: Float32Array
    digest: str

    def __len__(self) -> int:
        return len(self.queries)


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """A model's answer to all candidate lists.

    Attributes:
        scores: float64 (q, c), higher is better, NaN where the model gave no valid answer (then it loses every tie).
        ratings: float64 (q, c), predicted ratings 1 to 5, NaN from models that predict none.
        valid: bool (q, c), false where the model's answer could not be read.
        cost: what it took.
        cases: per (q, c) what was read and written, for explanation; empty for models without texts.
        choices: of a model that saw the candidates of a query at once; None for any other.
    """

    scores: FloatArray
    ratings: FloatArray
    valid: BoolArray
    cost: Cost
    cases: tuple[tuple[Case, ...], ...] = ()
    choices: Choices | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """What a model chose from lists of a query's candidates, asked several times with the candidates in other orders.

    Attributes:
        order: int32 (q, orders, c), the candidate, by column, in each place of the list.
        share: float64 (q, orders, c), how much of the choice fell on each place, 0 to 1, adding up to 1; NaN where
            the answer could not be read.
    """

    order: Int32Array
    share: FloatArray


@dataclass(frozen=True, slots=True)
class Case:
    """What the model read and wrote about one candidate."""

    prompt: str
    completion: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What a piece of work took. Tokens are the model's own; seconds are wall time; memory is the process's peak."""

    seconds: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    peak_bytes: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.seconds + other.seconds,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            max(self.peak_bytes, other.peak_bytes),
        )
