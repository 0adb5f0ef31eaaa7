"""A prepared data set on disk: its arrays and texts in parquet, the rest in `meta.json`."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.types import InteractionLog, ItemCatalog
from r2rec_bench.data.base import Dataset
from r2rec_bench.data.parquet import read_frame

META = "meta.json"
LOG_COLUMNS = {"user": np.int32, "item": np.int32, "rating": np.float32, "time": np.int64}


def write(dataset: Dataset, folder: Path) -> None:
    """`dataset` into `folder`, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    log, catalog = dataset.log, dataset.catalog
    pq.write_table(pa.table({name: getattr(log, name) for name in LOG_COLUMNS}), folder / "log.parquet")
    pq.write_table(pa.table({"user_id": pa.array(log.user_ids, pa.string())}), folder / "users.parquet")
    texts = {"item_id": log.item_ids, "title": catalog.titles, "attributes": catalog.attributes}
    items = {name: pa.array(values, pa.string()) for name, values in texts.items()}
    pq.write_table(pa.table(items), folder / "items.parquet")
    meta = {
        "name": dataset.name,
        "synthetic": dataset.synthetic,
        "licence": dataset.licence,
        "origin": dataset.origin,
        "drops": dataset.drops,
        "bayes_hr1": None if math.isnan(dataset.bayes_hr1) else dataset.bayes_hr1,
        "digest": digest(dataset),
    }
    (folder / META).write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")


def read(folder: Path) -> Dataset:
    """The data set that `write` put into `folder`.

    Raises:
        InputError: a file is missing or unreadable, or the content is not what was written.
    """
    meta = _read_meta(folder / META)
    rows = read_frame(folder / "log.parquet", tuple(LOG_COLUMNS))
    users = read_frame(folder / "users.parquet", ("user_id",))
    items = read_frame(folder / "items.parquet", ("item_id", "title", "attributes"))
    user, item, rating, time = (rows[name].to_numpy(dtype=kind) for name, kind in LOG_COLUMNS.items())
    user_ids, item_ids = tuple(users["user_id"]), tuple(items["item_id"])
    catalog = ItemCatalog(tuple(items["title"]), tuple(items["attributes"]))
    dataset = Dataset(
        name=meta["name"],
        log=InteractionLog(user, item, rating, time, user_ids, item_ids),
        catalog=catalog,
        synthetic=meta["synthetic"],
        licence=meta["licence"],
        origin=meta["origin"],
        drops=meta["drops"],
        bayes_hr1=math.nan if meta["bayes_hr1"] is None else meta["bayes_hr1"],
    )
    if digest(dataset) != meta["digest"]:
        raise InputError(f"{folder}: the content was changed after it was written; delete the folder and prepare again")
    return dataset


def digest(dataset: Dataset) -> str:
    """SHA-256, hex, over the interactions, ids and texts: what a result can depend on."""
    log, catalog = dataset.log, dataset.catalog
    texts = [log.user_ids, log.item_ids, catalog.titles, catalog.attributes]
    content = hashlib.sha256(json.dumps(texts, separators=(",", ":")).encode())
    for name, kind in LOG_COLUMNS.items():
        content.update(np.ascontiguousarray(getattr(log, name), dtype=np.dtype(kind).newbyteorder("<")).tobytes())
    return content.hexdigest()


def _read_meta(file: Path) -> dict[str, Any]:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: cannot be read: {error}") from None
