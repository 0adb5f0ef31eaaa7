"""Reads back what W&B wrote offline: records in LevelDB's log format, of W&B's own protocol."""

import json
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

BLOCK, HEADER, RECORD_HEADER = 32 * 1024, 7, 7
FULL, FIRST, LAST = 1, 2, 4


@dataclass
class Logged:
    """One offline run."""

    run_id: str = ""
    group: str = ""
    job: str = ""
    name: str = ""
    tags: list[str] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    exit_code: int | None = None


@pytest.fixture
def offline_runs() -> Callable[[Path], list[Logged]]:
    """All runs in W&B's folder, in the order in which they began."""

    def read(folder: Path) -> list[Logged]:
        import wandb

        wandb.teardown()  # its own process has then written all
        files = sorted(folder.glob("offline-run-*/run-*.wandb"), key=lambda path: path.stat().st_ctime_ns)
        return [logged(path.read_bytes()) for path in files]

    return read


def logged(content: bytes) -> Logged:
    from wandb.proto import wandb_internal_pb2

    run = Logged()
    for data in records(content):
        record = wandb_internal_pb2.Record.FromString(data)
        kind = record.WhichOneof("record_type")
        if kind == "run":
            run.run_id = record.run.run_id
            run.group, run.job = record.run.run_group, record.run.job_type
            run.name, run.tags = record.run.display_name, list(record.run.tags)
            run.config |= items(record.run.config.update)
        elif kind == "history":
            run.history.append(items(record.history.item))
        elif kind == "summary":
            run.summary |= items(record.summary.update)
        elif kind == "exit":
            run.exit_code = record.exit.exit_code
    return run


def items(pairs: Any) -> dict[str, Any]:
    return {".".join(pair.nested_key) or pair.key: json.loads(pair.value_json) for pair in pairs}


def records(content: bytes) -> list[bytes]:
    """The records of a log: W&B's header, then blocks of 32 KiB that hold whole records or parts of them."""
    assert content[:4] == b":W&B"
    found: list[bytes] = []
    part, at = b"", HEADER
    while at + RECORD_HEADER <= len(content):
        room = BLOCK - at % BLOCK
        if room < RECORD_HEADER:  # the rest of a block is too short for a header
            at += room
            continue
        checksum, length, kind = struct.unpack("<IHB", content[at : at + RECORD_HEADER])
        data = content[at + RECORD_HEADER : at + RECORD_HEADER + length]
        assert checksum == zlib.crc32(data, zlib.crc32(bytes([kind])))
        part += data
        if kind in {FULL, LAST}:
            found.append(part)
            part = b""
        at += RECORD_HEADER + length
    return found
