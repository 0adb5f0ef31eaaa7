"""Collected traces on disk: one parquet file, a row each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from r2rec_bench.core.texts import Trace

_TRACES = TypeAdapter(Sequence[Trace])


def write_traces(traces: Sequence[Trace], path: Path) -> None:
    """`traces` as parquet, nested parts as structs."""
    pq.write_table(pa.Table.from_pylist(_TRACES.dump_python(traces)), path, compression="zstd")


def read_traces(path: Path) -> list[Trace]:
    """The traces in `path`."""
    return list(_TRACES.validate_python(pq.read_table(path).to_pylist()))
