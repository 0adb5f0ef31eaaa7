"""From raw columns to an interaction log, by documented rule.

Users and items are indexed in the natural order of their ids (numbers by value, anything else by code point), items
only if they occur, so that the same data in another file order or format gives the same log. Within a user the given
order (`user_seq_pos`) wins over the time, and file order breaks ties. A repeated (user, item) pair keeps its first
interaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.kernels import kernel
from r2rec_bench.core.types import BoolArray, Float32Array, Int32Array, Int64Array, InteractionLog

if TYPE_CHECKING:
    import pandas as pd

Ids: TypeAlias = "NDArray[Any] | pd.Categorical"
"""Strings, integers or codes of strings, (n,)."""

LATEST_TIME = 4_102_444_800
"""2100-01-01 UTC: a later "second" is a millisecond in disguise."""

REPEATED = "repeated (user, item) pairs, the first kept"
MOVED = "times behind the given order, moved up to it"


@dataclass(frozen=True, slots=True, eq=False)
class RawLog:
    """Interactions as a file gives them, in file order.

    Attributes:
        file: for messages; row i is named `file:i+1`, which is its line where every line is a row.
        user_id: original ids, (n,).
        item_id: the same for items, (n,).
        rating: float32 (n,), 1 to 5, NaN where there is none.
        time: int64 (n,), seconds since 1970 UTC.
        order: int64 (n,), rank within the user, where the source knows it better than its clock.
        ratings_required: whether a missing rating is an error.
    """

    file: str
    user_id: Ids
    item_id: Ids
    rating: Float32Array
    time: Int64Array
    order: Int64Array | None = None
    ratings_required: bool = False


def build_log(raw: RawLog) -> tuple[InteractionLog, dict[str, int]]:
    """The log of `raw`, and what was changed by rule, counted by reason.

    Raises:
        InputError: no rows, an unusable id, or a rating or time out of range; the file and line are named.
    """
    if not len(raw.time):
        raise InputError(f"{raw.file}: no interactions")
    _check_ranges(raw)
    user, user_ids = _index(raw.user_id, raw.file, "user")
    item, item_ids = _index(raw.item_id, raw.file, "item")
    by_order = np.lexsort((raw.time if raw.order is None else raw.order, user))  # stable: file order breaks ties
    user, item = user[by_order], item[by_order]
    time = raw.time[by_order]
    moved = _never_backwards(user, time)
    keep = first_of_pairs(user, item, len(item_ids))
    counts = {REPEATED: int((~keep).sum()), MOVED: moved}
    log = InteractionLog(user, item, raw.rating[by_order], time, user_ids, item_ids)
    return log if keep.all() else log.select(keep), {reason: count for reason, count in counts.items() if count}


def _check_ranges(raw: RawLog) -> None:
    unrated = np.isnan(raw.rating) & (not raw.ratings_required)
    refuse(raw.file, ~((raw.rating >= 1) & (raw.rating <= 5) | unrated), "rating", raw.rating, "1 to 5")
    refuse(raw.file, raw.time < 0, "time", raw.time, "seconds since 1970 UTC, not negative")
    late = raw.time >= LATEST_TIME
    refuse(raw.file, late, "time", raw.time, "seconds since 1970 UTC before the year 2100, not milliseconds")


def refuse(file: str, bad: BoolArray, kind: str, values: Ids, expected: str) -> None:
    """Stop at the first row where `bad`, bool (n,), is true.

    Raises:
        InputError: there is one; its place and its value are named.
    """
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(f"{file}:{row + 1}: {kind} {str(values[row])!r}; expected {expected}")


def _index(ids: Ids, file: str, kind: str) -> tuple[Int32Array, tuple[str, ...]]:
    """Index of every row's id, int32 (n,), and the distinct ids in natural order."""
    import pandas as pd  # a listing of sources does not need it

    codes, distinct = pd.factorize(ids)
    names = [str(name) for name in distinct]
    codes = codes.astype(np.int32)
    unusable = np.array([not name or not name.isprintable() for name in names])
    refuse(file, unusable[codes], f"{kind} id", ids, "printable text that is not empty")
    in_order = sorted(range(len(names)), key=lambda code: _natural(names[code]))
    rank = np.empty(len(names), dtype=np.int32)
    rank[in_order] = np.arange(len(names), dtype=np.int32)
    return rank[codes], tuple(names[code] for code in in_order)


def _natural(name: str) -> tuple[bool, int, str, str]:
    """Sort key: whole numbers first and by value, then everything else by code point."""
    number = name.isascii() and name.isdigit()
    digits = name.lstrip("0") if number else ""
    return (not number, len(digits), digits, name)


@kernel
def _never_backwards(user: Int32Array, time: Int64Array) -> int:
    """Raises `time` where it stands to its running maximum within each user, and says how many times were raised."""
    moved = 0
    for row in range(1, len(user)):
        if user[row] == user[row - 1] and time[row] < time[row - 1]:
            time[row] = time[row - 1]
            moved += 1
    return moved


@kernel
def first_of_pairs(user: Int32Array, item: Int32Array, n_items: int) -> BoolArray:
    """Which rows, bool (n,), are the first of their (user, item) pair; all of a user's rows lie together."""
    last_user = np.full(n_items, -1, np.int32)
    first = np.empty(len(user), np.bool_)
    for row in range(len(user)):
        first[row] = last_user[item[row]] != user[row]
        last_user[item[row]] = user[row]
    return first
