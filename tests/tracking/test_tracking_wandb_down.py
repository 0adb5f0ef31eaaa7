"""The real W&B client, and a server that is gone, hangs, breaks, babbles or dies: a warning, and the work goes on."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SERVER = """
    import json, os, signal, socket, sys, threading
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    from pathlib import Path
    from r2rec_bench.core.watch import Several
    from r2rec_bench.tracking import wandb as room
    from r2rec_bench.tracking.log import RunLog

    PROJECT = {"id": "p", "name": "r2rec-bench", "entity": {"id": "e", "name": "me"}}
    BUCKET = {"id": "b", "name": "a", "displayName": "a", "historyLineCount": 0, "project": PROJECT}
    VIEWER = {"id": "v", "entity": "me", "username": "me", "flags": "{}", "teams": {"edges": []}}
    FILES = {"runID": "b", "uploadHeaders": [], "files": []}
    UPSERT = {"bucket": BUCKET, "inserted": True}
    WHOLE = {"data": {"viewer": VIEWER, "upsertBucket": UPSERT, "createRunFiles": FILES}}
    ANSWERS = {
        "none": (200, json.dumps(WHOLE).encode()),
        "429": (429, b""),
        "500": (500, b"oops"),
        "truncated": (200, b'{"data": {"viewer"'),
        "HTML": (200, b"<html>Sign in</html>"),
        "closed": None,
    }

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            answer = ANSWERS[self.server.fault]
            if answer:
                self.send_response(answer[0])
                self.send_header("content-length", str(len(answer[1])))
                self.end_headers()
                self.wfile.write(answer[1])
        do_GET = do_POST
        def log_message(self, *arguments): ...

    def served(fault):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.fault = fault
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server
"""
RUN = """
    def address(fault):
        if fault in ANSWERS:
            return served(fault).server_port
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        if fault == "hangs":
            kept.append(listener)
        else:
            listener.close()
        return port

    kept = []
    room.START_SECONDS = room.FINISH_SECONDS = 1.0
    for fault in sys.argv[2:]:
        os.environ["WANDB_BASE_URL"] = f"http://127.0.0.1:{address(fault)}"
        warnings = []
        tracker = room.WandbTracker(warnings.append, Path(sys.argv[1]))
        tracker.open("tiny", {"backbone": {"use": "nano"}})
        tracker.begin("sft")
        tracker.progress(1, 2, {"loss": 1.0})
        tracker.progress(2, 2, {"loss": 0.5})
        tracker.end("sft", 1.0, cached=False)
        tracker.result("R2Rec", "ab", {"hr@1": 0.5})
        tracker.close()
        print(fault, len(warnings), *warnings[0].split()[:2], warnings[0].endswith("The run goes on untracked."))
"""
MIDWAY = """
    def ended(who):
        if who == "server":
            server.shutdown()
            server.server_close()
            return
        for task in Path("/proc/self/task").iterdir():
            for child in (task / "children").read_text().split():
                os.kill(int(child), signal.SIGKILL)

    server = served("none")
    os.environ["WANDB_BASE_URL"] = f"http://127.0.0.1:{server.server_port}"
    room.FINISH_SECONDS = 1.0
    for who, mode in (("server", "online"), ("service", "offline")):
        os.environ["WANDB_MODE"] = mode
        warnings, folder = [], Path(sys.argv[1])
        log, tracker = RunLog(folder / f"{who}.jsonl", warnings.append), room.WandbTracker(warnings.append, folder)
        both = Several(log, tracker)
        both.open("tiny", {"backbone": {"use": "nano"}})
        both.begin("sft")
        both.progress(1, 9, {"loss": 1.0})
        assert not warnings, warnings
        ended(who)
        for step in range(2, 10):
            both.progress(step, 9, {"loss": 1 / step})
        both.end("sft", 1.0, cached=False)
        both.result("R2Rec", "ab", {"hr@1": 0.5})
        tracker.close()
        log.close()
        print(json.dumps(warnings))
"""
FAULTS = ["gone", "hangs", "429", "500", "truncated", "HTML", "closed"]
KEY = "0123456789" * 4


def done(script: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The script in a process of its own, which is not to know our W&B."""
    said = {"WANDB_MODE": "online", "WANDB_API_KEY": KEY, "WANDB_DIR": str(folder), "WANDB_CONFIG_DIR": str(folder)}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SERVER + script), folder, *words],
        env={name: value for name, value in os.environ.items() if not name.startswith("WANDB_")} | said,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_server_that_is_down_is_a_warning_and_holds_nothing_up(tmp_path):
    """Each of them once in one process; that process ends too, long before W&B's own minutes of trying again."""
    ended = done(RUN, tmp_path, *FAULTS)
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [[fault, "1"] for fault in FAULTS]
    assert all("W&B:" in line and line.endswith("True") for line in lines)
    assert KEY not in ended.stdout + ended.stderr


def test_a_server_or_a_service_that_dies_midway_is_a_warning_and_the_log_is_whole(tmp_path):
    """The server after a run was begun online; and W&B's own process on this machine."""
    ended = done(MIDWAY, tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    for line, who in zip(ended.stdout.splitlines(), ("server", "service"), strict=True):
        [warning] = json.loads(line)
        assert warning.startswith("W&B: ")
        assert warning.endswith("The run goes on untracked.")
        events = [json.loads(text) for text in (tmp_path / f"{who}.jsonl").read_text().splitlines()]
        told = [(event["event"], event.get("done")) for event in events]
        progress = [("progress", step) for step in range(1, 10)]
        assert told == [("open", None), ("begin", None), *progress, ("end", None), ("result", None), ("close", None)]
