"""The stored result of one system under one seed: values per user and what they cost; means are derived, not kept.

A result is a folder of two files, `per_user.parquet` and `result.json`, both under one run id.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter, ValidationError

from r2rec_bench.core.environment import Environment
from r2rec_bench.core.errors import ConfigError, InputError, Problem, unknown
from r2rec_bench.core.fingerprint import shortened
from r2rec_bench.core.store import Artifact
from r2rec_bench.core.types import Cost, FloatArray, Int64Array, InteractionLog
from r2rec_bench.evaluation.metrics.base import Answered, Metric, recommended

TABLE_FILE = "per_user.parquet"
HEADER_FILE = "result.json"
KEY_COLUMNS = ("user_id", "item_id", "rank", "user_seen", "item_seen", "item_share", "top_ids")
TOP = 10
"""Recommended items stored per user."""
BASELINE, UNTRAINED, R2REC = KINDS = ("baseline", "untrained", "r2rec")


@dataclass(frozen=True, slots=True, eq=False)
class UserTable:
    """How a system did on each user asked about.

    Attributes:
        user_ids: original ids, (q,), each once.
        item_ids: original id of each user's positive, (q,).
        rank: int64 (q,), rank of the positive among the candidates, 1 = best.
        user_seen: int64 (q,), interactions that the query sees of its own user.
        item_seen: int64 (q,), visible interactions of the positive.
        item_share: float64 (q,), share of the catalogue's items with more of them, in [0, 1).
        top_ids: (q,), original ids of at most `TOP` recommended items, best first.
        offered: distinct items in all candidate lists.
        metrics: per-user values, each float64 (q,), NaN where undefined.
    """

    user_ids: tuple[str, ...]
    item_ids: tuple[str, ...]
    rank: Int64Array
    user_seen: Int64Array
    item_seen: Int64Array
    item_share: FloatArray
    top_ids: tuple[tuple[str, ...], ...]
    offered: int
    metrics: dict[str, FloatArray]

    def __post_init__(self) -> None:
        keys = (self.item_ids, self.rank, self.user_seen, self.item_seen, self.item_share, self.top_ids)
        columns = (*keys, *self.metrics.values())
        if any(len(column) != len(self) for column in columns):
            raise ValueError(f"{len(self)} users, but columns of {sorted({len(column) for column in columns})} values")
        if len(set(self.user_ids)) < len(self):
            repeated = next(user for user in self.user_ids if self.user_ids.count(user) > 1)
            raise InputError(f"user '{repeated}' has several rows; results are paired by user, so each has one row")

    def __len__(self) -> int:
        return len(self.user_ids)

    def values(self, metric: str) -> FloatArray:
        """The values of one metric column, float64 (q,).

        Raises:
            InputError: there is no such column.
        """
        if metric not in self.metrics:
            raise unknown("metric", metric, self.metrics)
        return self.metrics[metric]

    def mean(self, metric: str) -> float:
        """Mean of a metric over the users who have a value; NaN when none has."""
        values = self.values(metric)
        known = values[~np.isnan(values)]
        return float(known.mean()) if len(known) else math.nan

    def rmse(self) -> float:
        """Root of the mean squared error of the predicted ratings, in stars; NaN when none was predicted."""
        return math.sqrt(self.mean("se"))


def measure(answered: Answered, log: InteractionLog, metrics: Sequence[Metric]) -> UserTable:
    """The table of a system's answer: one row per query, the columns of all `metrics`.

    Args:
        answered: the answer, and what it is judged by.
        log: the log whose indices it uses, for the original ids.
        metrics: what to compute.

    Raises:
        InputError: two metrics give the same column.
    """
    columns: dict[str, FloatArray] = {}
    for metric in metrics:
        for name, values in metric.per_user(answered).items():
            if name in columns or name in KEY_COLUMNS:
                raise InputError(f"the column '{name}' is given twice; list each metric, and each cutoff, once")
            columns[name] = values
    candidates = answered.candidates
    positives = candidates.items[np.arange(len(candidates)), candidates.positive]
    item_seen = answered.item_seen[positives]
    more = len(answered.item_seen) - np.searchsorted(np.sort(answered.item_seen), item_seen, side="right")
    return UserTable(
        user_ids=tuple(log.user_ids[query.user] for query in candidates.queries),
        item_ids=tuple(map(log.item_ids.__getitem__, positives.tolist())),
        rank=answered.rank,
        user_seen=answered.user_seen,
        item_seen=item_seen,
        item_share=more / len(answered.item_seen),
        top_ids=recommended(answered, log.item_ids, TOP),
        offered=int(np.count_nonzero(np.bincount(candidates.items.ravel()))),
        metrics=columns,
    )


@dataclass(frozen=True, slots=True)
class StageCost:
    """What one stage of a run took."""

    stage: str
    cost: Cost


@dataclass(frozen=True, slots=True)
class RunHeader:
    """Everything about a run but its values: the content of `result.json`.

    Attributes:
        run_id: fingerprint of settings, inputs and code, lower-case hex; every reported number names it.
        system: the model's name in tables.
        kind: what it is, one of `KINDS`.
        seed: the run's seed.
        protocol: split, visibility, candidates and tie rule in a sentence, for captions.
        stages: cost by stage, in the order in which they ran.
        environment: where it ran.
    """

    run_id: str
    system: str
    kind: str
    seed: int
    protocol: str
    stages: tuple[StageCost, ...]
    environment: Environment

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9a-f]{8,64}", self.run_id):
            raise InputError(f"run id {self.run_id!r}: expected a fingerprint of 8 to 64 lower-case hex digits")
        if self.kind not in KINDS:
            raise unknown("kind of system", self.kind, KINDS)

    @property
    def cost(self) -> Cost:
        """All stages together."""
        return sum((stage.cost for stage in self.stages), Cost())


@dataclass(frozen=True, slots=True, eq=False)
class RunResult(RunHeader):
    """The stored result of one system under one seed."""

    users: UserTable

    def mean(self, metric: str) -> float:
        """Mean of a metric over the users who have a value; NaN when none has."""
        return self.users.mean(metric)

    def save(self, folder: Path) -> None:
        """Write both files into `folder`; a reader never meets half a file.

        The header comes last, so that a folder with a header of this run is complete.
        """
        folder.mkdir(parents=True, exist_ok=True)
        _replace(folder / TABLE_FILE, _to_parquet(self.users, self.run_id))
        _replace(folder / HEADER_FILE, _HEADER.dump_json(self, indent=2))

    @classmethod
    def load(cls, folder: Path) -> RunResult:
        """The result stored in `folder`.

        Raises:
            InputError: there is none, it is damaged, or its two files are of different runs.
        """
        for name in (HEADER_FILE, TABLE_FILE):
            if not (folder / name).is_file():
                raise InputError(f"{folder} holds no result: {name} is missing. Run it again, or name another folder.")
        path = folder / HEADER_FILE
        try:
            header = _HEADER.validate_json(path.read_bytes())
        except ValidationError as error:
            problems = [Problem(".".join(map(str, detail["loc"])), detail["msg"]) for detail in error.errors()]
            raise ConfigError(str(path), problems) from None
        users = _from_parquet(folder / TABLE_FILE, header.run_id)
        return cls(**{field.name: getattr(header, field.name) for field in fields(header)}, users=users)


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A system under one seed, measured: one row of a table, or a part of one.

    Attributes:
        result: per-user values and cost.
        artifact: where they and the cases are stored.
    """

    result: RunResult
    artifact: Artifact

    @property
    def short_id(self) -> str:
        """The start of the run id."""
        return shortened(self.result.run_id)


_HEADER = TypeAdapter(RunHeader)


def _to_parquet(users: UserTable, run_id: str) -> bytes:
    ids = (pa.array(ids, pa.string()) for ids in (users.user_ids, users.item_ids))
    top = pa.array(map(list, users.top_ids), pa.list_(pa.string()))
    keys = (*ids, users.rank, users.user_seen, users.item_seen, users.item_share, top)
    columns = dict(zip(KEY_COLUMNS, keys, strict=True)) | users.metrics
    table = pa.table(columns, metadata={"run_id": run_id, "offered": str(users.offered)})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


def _from_parquet(path: Path, run_id: str) -> UserTable:
    try:
        table = pq.read_table(path)
    except pa.ArrowInvalid as error:
        raise InputError(f"{path} is damaged ({error}). Run it again.") from None
    said = table.schema.metadata or {}
    found = said.get(b"run_id", b"").decode()
    if found != run_id:
        raise InputError(f"{path} is of run '{found}', its header of run '{run_id}'. Run it again.")
    missing = [name for name in KEY_COLUMNS if name not in table.column_names]
    if missing or b"offered" not in said:
        raise InputError(f"{path} is of another version, without {', '.join(missing) or 'offered'}. Run it again.")
    users, items, rank, user_seen, item_seen, item_share, top = (table.column(name) for name in KEY_COLUMNS)
    names = [name for name in table.column_names if name not in KEY_COLUMNS]
    return UserTable(
        user_ids=tuple(users.to_pylist()),
        item_ids=tuple(items.to_pylist()),
        rank=rank.to_numpy(),
        user_seen=user_seen.to_numpy(),
        item_seen=item_seen.to_numpy(),
        item_share=item_share.to_numpy(),
        top_ids=tuple(map(tuple, top.to_pylist())),
        offered=int(said[b"offered"]),
        metrics={name: table.column(name).to_numpy() for name in names},
    )


def _replace(path: Path, content: bytes) -> None:
    """Write beside `path`, then rename: atomic on one file system."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.replace(path)
