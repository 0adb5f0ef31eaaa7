"""The log of a run: whole JSON lines whatever happens, and no run that stops for its sake."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from r2rec_bench.cli.progress import following
from r2rec_bench.core.errors import R2RecError
from r2rec_bench.core.watch import Rows, Several
from r2rec_bench.tracking.log import RunLog


def events(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def told(path: Path) -> list[dict]:
    """Events without their times."""
    return [{key: value for key, value in event.items() if key != "time"} for event in events(path)]


def test_each_event_is_a_line_with_what_it_tells(tmp_path):
    log = RunLog(tmp_path / "logs" / "a.jsonl", pytest.fail)
    settings = {"name": "tiny", "stages": [{"use": "sft"}]}
    log.open("tiny", settings)
    log.begin("sft")
    log.progress(1, 3, {"loss": 0.5, "kl": float("nan"), "tokens_per_second": 12.0})
    log.end("sft", 1.23456, cached=False)
    log.open("tiny", settings)  # said before every stage, written once
    log.result("R2Rec: sft", "ab12", {"hr@1": 0.25, "mae": float("inf")})
    log.warn('NO REAL DATA: "naïve"\nsecond line')
    log.close()
    assert told(log.path) == [
        {"event": "open", "experiment": "tiny", "settings": settings},
        {"event": "begin", "stage": "sft"},
        {
            "event": "progress",
            "stage": "sft",
            "done": 1,
            "total": 3,
            "figures": {"loss": 0.5, "kl": None, "tokens_per_second": 12.0},
        },
        {"event": "end", "stage": "sft", "seconds": 1.235, "cached": False},
        {"event": "result", "system": "R2Rec: sft", "run_id": "ab12", "figures": {"hr@1": 0.25, "mae": None}},
        {"event": "warn", "text": 'NO REAL DATA: "naïve"\nsecond line'},
        {"event": "close", "failure": ""},
    ]
    times = [event["time"] for event in events(log.path)]
    assert times == sorted(times)
    assert all(time.endswith("+00:00") for time in times)


def test_a_count_without_figures_is_told_at_each_hundredth(tmp_path):
    log = RunLog(tmp_path / "a.jsonl", pytest.fail)
    log.begin("traces")
    for done in range(1, 10_001):
        log.progress(done, 10_000, {})
    assert [event["done"] for event in events(log.path)[1:]] == list(range(100, 10_001, 100))


KILLED = """
import os, signal, sys
from pathlib import Path
from r2rec_bench.tracking.log import RunLog
log = RunLog(Path(sys.argv[1]), print)
for step in range(1, 301):
    log.progress(step, 300, {"loss": 1 / step, "note" * 5000: 1.0})
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_leaves_every_line_whole(tmp_path):
    """Lines longer than any buffer would be, and nobody to flush them."""
    path = tmp_path / "a.jsonl"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_bytes().endswith(b"}\n")
    assert [event["done"] for event in events(path)] == list(range(1, 301))


def test_a_folder_that_cannot_be_made_is_one_warning(tmp_path):
    (tmp_path / "logs").write_text("a file where the folder should be")
    warnings: list[str] = []
    log = RunLog(tmp_path / "logs" / "a.jsonl", warnings.append)
    log.begin("sft")
    log.close()
    [warning] = warnings
    assert str(tmp_path / "logs") in warning
    assert "goes on without" in warning


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full, which stands for a full disk, on this system")
def test_a_full_disk_is_one_warning():
    warnings: list[str] = []
    log = RunLog(Path("/dev/full"), warnings.append)
    log.begin("sft")
    log.progress(1, 2, {"loss": 1.0})
    log.close()
    [warning] = warnings
    assert "No space left on device" in warning


def test_a_command_says_where_its_log_is_and_how_it_ended(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("R2REC_CACHE", str(tmp_path))
    with following("run", quiet=False) as watcher:
        watcher.begin("sft")
        watcher.warn("look here")
    assert watcher.warnings == ["look here"]
    [path] = (tmp_path / "logs").glob("*Z-run-*.jsonl")
    assert f"Log: {path}\n" in capsys.readouterr().err
    assert [event["event"] for event in events(path)] == ["begin", "warn", "close"]
    with pytest.raises(R2RecError), following("sweep", quiet=True):
        raise R2RecError("loss is nan")
    assert "Log:" not in capsys.readouterr().err
    [path] = (tmp_path / "logs").glob("*Z-sweep-*.jsonl")
    assert told(path) == [{"event": "close", "failure": "R2RecError: loss is nan"}]


def test_several_are_told_alike_and_rows_alone_can_be_told(tmp_path):
    first, second = (RunLog(tmp_path / name, pytest.fail) for name in ("1", "2"))
    for watcher in (Several(first, second), Rows(first)):
        watcher.open("tiny", {})
        watcher.begin("sft")
        watcher.progress(1, 1, {"loss": 1.0})
        watcher.end("sft", 1.0, cached=False)
        watcher.result("ease", "ab", {})
        watcher.warn("text")
    names = ["open", "begin", "progress", "end", "result", "warn"]
    assert [event["event"] for event in events(second.path)] == names
    assert [event["event"] for event in events(first.path)] == [*names, "open", "result"]
