"""Candidate lists, drawn once and frozen: every model of a table ranks the same ones."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.seeds import derive, generator
from r2rec_bench.core.types import BoolArray, Candidates, Float32Array, Int32Array, Int64Array, InteractionLog, Query
from r2rec_bench.data.base import Fold, Folds, NegativeSampler
from r2rec_bench.data.parquet import read_frame

Record: TypeAlias = tuple[str, int, int, float | None, int, list[str]]
"""One list as it is written and digested, under original ids: the `COLUMNS`, in their order."""

COLUMNS = ("user_id", "time", "position", "rating", "positive", "items")
DIGEST = b"digest"


def draw(
    folds: Folds, fold: Fold, sampler: NegativeSampler, *, n_negatives: int, n_users: int | None, seed: int
) -> Candidates:
    """One list per asked user: the positive among `n_negatives` items that they never touched, shuffled.

    A user's list is a pure function of (seed, fold, the user's original id) and of what the sampler is told: other
    users' lists do not shift it. So is the choice of the users, each of whom has a lot of their own.

    Args:
        folds: the split log.
        fold: VALIDATION or TEST.
        sampler: where negatives come from.
        n_negatives: per list.
        n_users: at most this many of the asked users; all when none.
        seed: of every draw.

    Returns:
        Lists in ascending order of user.

    Raises:
        InputError: a user has too few untouched items.
    """
    log = folds.log
    visible = folds.visible(fold)
    popularity = np.bincount(log.item[visible], minlength=log.n_items)
    offsets = log.offsets()
    rows = _chosen(folds.asked[fold], log, n_users, seed, fold)
    items = np.empty((len(rows), n_negatives + 1), dtype=np.int32)
    for at, row in enumerate(rows):
        user = log.user[row]
        rng = generator(seed, "candidates", fold.name, log.user_ids[user])
        touched = np.sort(log.item[offsets[user] : offsets[user + 1]])
        positive = int(log.item[row])
        try:
            negatives = sampler.draw(touched, positive, popularity, n_negatives, rng)
        except InputError as error:
            raise InputError(f"candidates.n: user '{log.user_ids[user]}': {error}. Lower candidates.n") from None
        items[at] = rng.permutation(np.append(negatives, positive))
    column = np.argmax(items == log.item[rows][:, None], axis=1).astype(np.int32)
    return _with_digest(_queries(log, rows, visible), items, column, log.rating[rows], log)


def write(candidates: Candidates, log: InteractionLog, path: Path) -> None:
    """`candidates` as parquet under original ids, with their digest."""
    columns = list(zip(*_records(candidates, log), strict=True))
    table = pa.table(dict(zip(COLUMNS, columns, strict=True))).replace_schema_metadata({DIGEST: candidates.digest})
    pq.write_table(table, path)


def read(path: Path, log: InteractionLog) -> Candidates:
    """The candidates in `path`, indexed as in `log`.

    Raises:
        InputError: the file is unreadable, was changed after it was written, or belongs to another data set.
    """
    frame = read_frame(path, COLUMNS)
    user_index = {name: index for index, name in enumerate(log.user_ids)}
    item_index = {name: index for index, name in enumerate(log.item_ids)}
    records = list(zip(*(frame[name].tolist() for name in COLUMNS), strict=True))
    try:
        queries = tuple(Query(user_index[user], time, position) for user, time, position, *_ in records)
        items = np.array([[item_index[item] for item in record[-1]] for record in records], dtype=np.int32)
    except KeyError as error:
        raise InputError(f"{path}: {error} is not in this data set; the candidates were drawn for another") from None
    rating = frame["rating"].to_numpy(dtype=np.float32)
    positive = frame["positive"].to_numpy(dtype=np.int32)
    candidates = _with_digest(queries, items, positive, rating, log)
    written = (pq.read_schema(path).metadata or {}).get(DIGEST, b"none").decode()
    if candidates.digest != written:
        raise InputError(
            f"{path}: the content has digest {candidates.digest}, the file says {written}: it was changed after it "
            "was written; delete it to draw the candidates again"
        )
    return candidates


def _chosen(asked: Int64Array, log: InteractionLog, n_users: int | None, seed: int, fold: Fold) -> Int64Array:
    """The rows of `asked` whose users drew the `n_users` lowest lots, ascending."""
    lots = [derive(seed, "asked", fold.name, log.user_ids[user]) for user in log.user[asked]]
    return np.sort(asked[np.argsort(np.array(lots, dtype=np.uint64))[:n_users]])


def _queries(log: InteractionLog, rows: Int64Array, visible: BoolArray) -> tuple[Query, ...]:
    visible_before = np.concatenate([[0], np.cumsum(visible)])
    position = visible_before[rows] - visible_before[log.offsets()[log.user[rows]]]
    return tuple(map(Query, log.user[rows].tolist(), log.time[rows].tolist(), position.tolist()))


def _with_digest(
    queries: tuple[Query, ...], items: Int32Array, positive: Int32Array, rating: Float32Array, log: InteractionLog
) -> Candidates:
    undigested = Candidates(queries, items, positive, rating, digest="")
    content = json.dumps(_records(undigested, log), separators=(",", ":"))
    return replace(undigested, digest=hashlib.sha256(content.encode()).hexdigest())


def _records(candidates: Candidates, log: InteractionLog) -> list[Record]:
    ratings = [None if math.isnan(rating) else rating for rating in candidates.rating.tolist()]
    return [
        (log.user_ids[query.user], query.time, query.position, rating, positive, [log.item_ids[i] for i in items])
        for query, rating, positive, items in zip(
            candidates.queries, ratings, candidates.positive.tolist(), candidates.items.tolist(), strict=True
        )
    ]
