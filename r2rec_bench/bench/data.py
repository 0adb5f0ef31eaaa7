"""A file of ratings of the size of Amazon Books, in the form of the official release of 2018, prepared for use."""

from __future__ import annotations

import gzip
import os
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from r2rec_bench.bench.base import Measurement, at_most, seconds
from r2rec_bench.bench.worlds import FULL, edges
from r2rec_bench.core.paths import CACHE_VARIABLE, DATA_VARIABLE
from r2rec_bench.core.resources import peak_bytes

_LINES_AT_ONCE = 1_000_000
_REPEATED = 0.02
"""Share of the lines that are there a second time, as reviews of several editions are."""


def measure(scale: float) -> Iterator[Measurement]:
    """From a CSV file to the 5-core in the form that later runs read; how long a read takes."""
    lines = max(1_000, round(FULL * scale))
    with TemporaryDirectory() as folder:
        data, cache = Path(folder) / "data", Path(folder) / "cache"
        os.environ |= {DATA_VARIABLE: str(data), CACHE_VARIABLE: str(cache)}
        yield from _prepared(f"{lines:,} lines of CSV", _written(data / "amazon-books", lines))


def _prepared(what: str, file: Path) -> Iterator[Measurement]:
    from r2rec_bench.data.sources.amazon import AmazonBooks

    before = time.process_time()
    took = (seconds(AmazonBooks().load),)
    worked = time.process_time() - before
    plain = (seconds(lambda: _lines(file)),)
    yield Measurement(f"{what} to its 5-core", "s", took, plain, "its lines counted in Python", at_most(180))
    yield Measurement(f"{what} to its 5-core, by the processor's clock", "s", (worked,))
    yield Measurement(f"{what}: peak memory so far", "GB", (peak_bytes() / 1e9,), target=at_most(4))
    yield Measurement(f"{what}: read again once prepared", "s", (seconds(AmazonBooks().load),))


def _lines(file: Path) -> int:
    with file.open("rb") as stream:
        return sum(1 for _ in stream)


def _written(folder: Path, lines: int) -> Path:
    """`Books.csv` (item, user, rating, time, in no order) and its metadata in `folder`."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    made = edges(round(lines / (1 + _REPEATED)), rng)
    n = len(made.user)
    rows = rng.permutation(np.concatenate([np.arange(n), rng.integers(n, size=max(0, lines - n))]))
    path = folder / "Books.csv"
    with path.open("w", encoding="utf-8") as file:
        for start in range(0, len(rows), _LINES_AT_ONCE):
            some = rows[start : start + _LINES_AT_ONCE]
            columns = (made.item[some], made.user[some], rng.integers(1, 6, len(some)), made.time[some])
            # Ids are as long as those of Amazon: ten characters of an item, fourteen of a user.
            file.writelines(map("B%09d,A%013d,%d.0,%d\n".__mod__, zip(*(c.tolist() for c in columns), strict=True)))
    with gzip.open(folder / "meta_Books.json.gz", "wt", compresslevel=1, encoding="utf-8") as file:
        file.writelines(f'{{"asin": "B{item:09d}", "title": "Book {item}"}}\n' for item in range(made.n_items))
    return path
