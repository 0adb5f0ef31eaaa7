"""The Amazon review releases of 2014, 2018 and 2023, read as a stream: ratings as CSV, the rest as JSON lines.

Only ids, ratings, times, titles and brands are kept of a line, so that memory is bounded by the ids and not by the
texts. The 2014 metadata are Python literals, not JSON; they are read as literals and never evaluated.

Source: the release notes at jmcauley.ucsd.edu/data/amazon (2014), nijianmo.github.io/amazon (2018) and
amazon-reviews-2023.github.io (2023).
"""

from __future__ import annotations

import ast
import gzip
import json
import re
import warnings
import zlib
from array import array
from collections.abc import Container, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.types import BoolArray, Float32Array, Int32Array, Int64Array
from r2rec_bench.data.catalog import RawItems
from r2rec_bench.data.log import LATEST_TIME, refuse

if TYPE_CHECKING:
    import pyarrow as pa

_HEADER_2023 = ["user_id", "parent_asin", "rating", "timestamp"]
_MILLISECONDS = 1_000
_BEYOND = 1 << 63
"""The first whole number that 64 bits do not hold."""
_MAX_LINE = 1 << 24
"""Bytes; a longer line is no review."""
_BLOCK = 1 << 23
"""Bytes of ratings read at a time: in smaller blocks ids repeat less, and there are more tables of them to merge."""


@dataclass(frozen=True, slots=True, eq=False)
class CodedLog:
    """Interactions in file order, ids as codes.

    Attributes:
        file: for messages.
        user: int32 (n,), index into `user_ids`.
        item: int32 (n,), index into `item_ids`.
        rating: float32 (n,), 1 to 5.
        time: int64 (n,), seconds since 1970 UTC.
        user_ids: object (users,), distinct.
        item_ids: object (items,), distinct.
    """

    file: str
    user: Int32Array
    item: Int32Array
    rating: Float32Array
    time: Int64Array
    user_ids: np.ndarray[Any, Any]
    item_ids: np.ndarray[Any, Any]

    def select(self, mask: BoolArray) -> CodedLog:
        """The rows where `mask`, bool (n,), is true; their lines can no longer be named."""
        return replace(self, user=self.user[mask], item=self.item[mask], rating=self.rating[mask], time=self.time[mask])


def read_ratings(file: Path) -> CodedLog:
    """A file of ratings, `.csv` or `.csv.gz`.

    `ratings_X.csv` (2014) is user, item, rating, time; `X.csv` is item, user, rating, time (2018), or has a header and
    milliseconds (2023).

    Raises:
        InputError: a line is not of that form; it is named.
    """
    import pyarrow as pa
    from pyarrow import csv

    with _opened(file) as stream:
        headed = stream.readline(_MAX_LINE).decode("utf-8", "replace").strip().split(",") == _HEADER_2023
    names = ["user", "item", "rating", "time"]
    if not headed and not file.name.startswith("ratings_"):
        names[:2] = ["item", "user"]
    user, item = _Codes(), _Codes()
    rating: list[Float32Array] = []
    time: list[Int64Array] = []
    coded = pa.dictionary(pa.int32(), pa.string())
    try:
        # One thread, so that a bad line is named by its number.
        with csv.open_csv(
            file,
            read_options=csv.ReadOptions(
                use_threads=False, column_names=names, skip_rows=int(headed), block_size=_BLOCK
            ),
            parse_options=csv.ParseOptions(quote_char=False, ignore_empty_lines=False),
            convert_options=csv.ConvertOptions(
                column_types={"user": coded, "item": coded, "rating": pa.float32(), "time": pa.int64()},
                null_values=[],
            ),
        ) as batches:
            for batch in batches:
                user.add(batch.column("user"))
                item.add(batch.column("item"))
                rating.append(batch.column("rating").to_numpy())
                time.append(_seconds(batch.column("time").to_numpy()))
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(_placed(file, str(error))) from None
    if not any(map(len, rating)):
        raise InputError(f"{file}: no ratings")
    log = CodedLog(
        str(file), user.codes(), item.codes(), np.concatenate(rating), np.concatenate(time), user.ids(), item.ids()
    )
    _check(log, "header not counted" if headed else "")
    return log


class _Codes:
    """The ids of a column that comes in batches, each with a table of its own.

    Tables wait until they have as many ids as are known; so each id is looked up a few times, however many batches
    there are, and all that waits is never much larger than what is kept.
    """

    def __init__(self) -> None:
        import pyarrow as pa

        self._known = pa.array([], pa.string())
        self._waiting: list[pa.DictionaryArray] = []
        self._merged: list[Int32Array] = []

    def add(self, column: pa.DictionaryArray) -> None:  # pyright: ignore[reportUnknownParameterType]  pyarrow has no types
        """The next batch."""
        self._waiting.append(column)
        if sum(len(waiting.dictionary) for waiting in self._waiting) >= len(self._known):
            self._merge()

    def codes(self) -> Int32Array:
        """Index into `ids` of all rows so far, int32 (n,)."""
        self._merge()
        return np.concatenate(self._merged)

    def ids(self) -> np.ndarray[Any, Any]:
        """Distinct ids in the order in which they came, object (ids,)."""
        self._merge()
        return self._known.to_numpy(zero_copy_only=False)

    def _merge(self) -> None:
        import pyarrow as pa

        known = pa.DictionaryArray.from_arrays(pa.array([], pa.int32()), self._known)
        merged = pa.chunked_array([known, *self._waiting]).unify_dictionaries()
        self._known = merged.chunk(0).dictionary
        self._merged += [np.asarray(chunk.indices, dtype=np.int32) for chunk in merged.chunks[1:]]
        self._waiting = []


def read_reviews(file: Path) -> CodedLog:
    """A file of reviews, one JSON object a line: reviewerID, asin, overall, unixReviewTime, or the names of 2023.

    Raises:
        InputError: a line is not JSON, lacks a key, or a value is of another type; it is named.
    """
    users: dict[str, int] = {}
    items: dict[str, int] = {}
    user, item, rating, time = array("i"), array("i"), array("f"), array("q")
    for number, review in _objects(file):
        if "reviewerID" in review:
            keys = ("reviewerID", "asin", "overall", "unixReviewTime")
        else:
            keys = ("user_id", "parent_asin", "rating", "timestamp")
        who, what, stars, when = (review.get(key) for key in keys)
        if not (isinstance(who, str) and isinstance(what, str)):
            raise InputError(f"{file}:{number}: {keys[0]} {who!r}, {keys[1]} {what!r}; expected two strings")
        if not (_is_number(stars) and _is_number(when)):
            raise InputError(f"{file}:{number}: {keys[2]} {stars!r}, {keys[3]} {when!r}; expected two numbers")
        user.append(users.setdefault(who, len(users)))
        item.append(items.setdefault(what, len(items)))
        rating.append(float(cast("float", stars)))
        time.append(int(cast("float", when)))
    if not users:
        raise InputError(f"{file}: no reviews")
    log = CodedLog(
        str(file),
        user=np.frombuffer(user, dtype=np.int32),
        item=np.frombuffer(item, dtype=np.int32),
        rating=np.frombuffer(rating, dtype=np.float32),
        time=_seconds(np.frombuffer(time, dtype=np.int64)),
        user_ids=np.array(list(users), dtype=object),
        item_ids=np.array(list(items), dtype=object),
    )
    _check(log)
    return log


def read_metadata(file: Path, wanted: Container[str]) -> RawItems:
    """Titles and brands of the `wanted` items; an item listed twice keeps its first title.

    Raises:
        InputError: a line is neither JSON nor a literal of 2014, or names no item; it is named.
    """
    titles: dict[str, str] = {}
    attributes: dict[str, str] = {}
    for number, thing in _objects(file):
        item = thing.get("parent_asin", thing.get("asin"))
        if not isinstance(item, str):
            raise InputError(f"{file}:{number}: no parent_asin and no asin; expected the item's id")
        if item in wanted and item not in titles:
            titles[item] = _text(thing.get("title"))
            attributes[item] = _text(thing.get("brand") or thing.get("store"))
    return RawItems(str(file), titles, attributes)


def _objects(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every line's number and object."""
    with _opened(file) as lines:
        number = 0
        while line := lines.readline(_MAX_LINE):
            number += 1
            if len(line) == _MAX_LINE:
                raise InputError(f"{file}:{number}: a line of more than {_MAX_LINE:,} bytes; expected one JSON object")
            yield number, _object(line, f"{file}:{number}")


def _object(line: bytes, place: str) -> dict[str, Any]:
    try:
        found: object = json.loads(line)
    except (ValueError, RecursionError):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of escapes that are none: they are data's, not a program's
                found = ast.literal_eval(line.decode("utf-8").strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            raise InputError(f"{place}: {line[:60]!r}; expected one JSON object") from None
    if not isinstance(found, dict):
        raise InputError(f"{place}: {type(found).__name__}; expected one JSON object")
    return cast("dict[str, Any]", found)


@contextmanager
def _opened(file: Path) -> Generator[Any]:
    """`file` as bytes, unpacked on the way.

    Raises:
        InputError: it is no gzip, or it ends in the middle.
    """
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
            yield stream
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{file}: {error}; the download is damaged or not complete. Fetch it again.") from None


def _is_number(value: object) -> bool:
    """Whether it is one, and finite, and such that 64 bits hold it."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -_BEYOND < value < _BEYOND


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _seconds(time: Int64Array) -> Int64Array:
    """Seconds, of times that the 2023 release gives in milliseconds: a second of that size is centuries away."""
    return np.where(time >= LATEST_TIME, time // _MILLISECONDS, time)


def _check(log: CodedLog, note: str = "") -> None:
    file = f"{log.file} ({note})" if note else log.file
    refuse(file, ~((log.rating >= 1) & (log.rating <= 5)), "rating", log.rating, "1 to 5")
    refuse(file, (log.time < 0) | (log.time >= LATEST_TIME), "time", log.time, "seconds or milliseconds since 1970 UTC")


def _placed(file: Path, message: str) -> str:
    """pyarrow's complaint with the line where it says `Row #n`."""
    found = re.search(r"Row #(\d+): (.*)", message, re.DOTALL)
    place, what = (f"{file}:{found[1]}", found[2]) if found else (str(file), message)
    return f"{place}: {what.strip()[:200]}; expected user, item, rating and time, separated by commas"
