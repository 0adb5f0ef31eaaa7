"""Traces on disk: one parquet file, a row each; beside those of a batch, what became of the rest of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from r2rec_bench.core.texts import Trace
from r2rec_bench.traces.collect import Batch

_TRACES = TypeAdapter(Sequence[Trace])
_BATCH = TypeAdapter(Batch)
_BATCH_TRACES, _BATCH_COUNTS = "traces.parquet", "counts.json"


def write_traces(traces: Sequence[Trace], path: Path) -> None:
    """`traces` as parquet, nested parts as structs."""
    pq.write_table(pa.Table.from_pylist(_TRACES.dump_python(traces)), path, compression="zstd")


def read_traces(path: Path) -> list[Trace]:
    """The traces in `path`."""
    return list(_TRACES.validate_python(pq.read_table(path).to_pylist()))


def write_batch(batch: Batch, folder: Path) -> None:
    """`batch` as files in `folder`."""
    write_traces(batch.traces, folder / _BATCH_TRACES)
    (folder / _BATCH_COUNTS).write_bytes(_BATCH.dump_json(replace(batch, traces=())))


def read_batch(folder: Path) -> Batch:
    """The batch that `write_batch` put into `folder`."""
    counts = _BATCH.validate_json((folder / _BATCH_COUNTS).read_bytes())
    return replace(counts, traces=tuple(read_traces(folder / _BATCH_TRACES)))
