from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from r2rec_bench.core.types import InteractionLog
from r2rec_bench.data.log import RawLog, build_log


@dataclass(frozen=True)
class Roots:
    data: Path
    cache: Path


@pytest.fixture
def roots(tmp_path, monkeypatch) -> Roots:
    """Empty data and cache folders, and no network."""
    made = Roots(tmp_path / "data", tmp_path / "cache" / "data")
    made.data.mkdir()
    made.cache.mkdir(parents=True)
    monkeypatch.setenv("R2REC_DATA", str(made.data))
    monkeypatch.setenv("R2REC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("R2REC_OFFLINE", "1")
    return made


@pytest.fixture
def raw_log() -> Callable[..., RawLog]:
    """A raw log from rows (user, item, rating, time)."""

    def make(rows, *, order=None, ratings_required=False) -> RawLog:
        user, item, rating, time = zip(*rows, strict=True) if rows else ((), (), (), ())
        return RawLog(
            "here.dat",
            np.array(user, dtype=object),
            np.array(item, dtype=object),
            np.array(rating, dtype=np.float32),
            np.array(time, dtype=np.int64),
            None if order is None else np.array(order, dtype=np.int64),
            ratings_required,
        )

    return make


@pytest.fixture
def make_log(raw_log) -> Callable[..., InteractionLog]:
    return lambda rows: build_log(raw_log(rows))[0]


@pytest.fixture
def world() -> InteractionLog:
    """60 users with 1 to 12 of 80 items each, times with many ties."""
    rng = np.random.default_rng(7)
    rows = [
        (user, item, rng.integers(1, 6), 1_000 + 10 * rng.integers(0, 60))
        for user in range(60)
        for item in rng.choice(80, 1 + user % 12, replace=False)
    ]
    user, item, rating, time = (np.array(column) for column in zip(*rows, strict=True))
    return build_log(RawLog("world", user, item, rating.astype(np.float32), time.astype(np.int64)))[0]


@pytest.fixture
def write_folder() -> Callable[..., Path]:
    """A small data set in the parquet form; keywords replace or add columns of the interactions, None removes."""

    def write(folder: Path, items: dict | None = None, **columns) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        interactions = {
            "user_id": ["u1", "u1", "u2"],
            "item_id": ["a", "b", "a"],
            "rating": np.array([5, 3, 4], dtype=np.float32),
            "timestamp": [10, 20, 30],
        } | columns
        kept = {name: values for name, values in interactions.items() if values is not None}
        pd.DataFrame(kept).to_parquet(folder / "interactions.parquet")
        titles = {"item_id": ["a", "b"], "title": ["Alien", "Big"]} if items is None else items
        pd.DataFrame(titles).to_parquet(folder / "items.parquet")
        return folder

    return write
