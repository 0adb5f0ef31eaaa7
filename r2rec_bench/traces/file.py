"""Traces on disk: one parquet file, a row each."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from r2rec_bench.core.types import Trace

_TRACES = TypeAdapter(list[Trace])


def write_traces(traces: tuple[Trace, ...], path: Path) -> None:
    """`traces` as parquet, nested parts as structs."""
    pq.write_table(pa.Table.from_pylist([asdict(trace) for trace in traces]), path, compression="zstd")


def read_traces(path: Path) -> list[Trace]:
    """The traces in `path`."""
    return _TRACES.validate_python(pq.read_table(path).to_pylist())
