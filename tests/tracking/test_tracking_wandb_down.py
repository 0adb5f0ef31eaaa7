"""The real W&B client, online, and a server that is gone, hangs, breaks or babbles: a warning, and the work goes on."""

import os
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.slow

RUN = """
    import os, socket, sys, threading
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    from pathlib import Path
    from r2rec_bench.tracking import wandb as room

    ANSWERS = {
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

    def address(fault):
        if fault in ANSWERS:
            server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            server.fault = fault
            threading.Thread(target=server.serve_forever, daemon=True).start()
            return server.server_port
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
FAULTS = ["gone", "hangs", "429", "500", "truncated", "HTML", "closed"]
KEY = "0123456789" * 4


def test_a_server_that_is_down_is_a_warning_and_holds_nothing_up(tmp_path):
    """Each of them once in one process; that process ends too, long before W&B's own minutes of trying again."""
    said = {"WANDB_MODE": "online", "WANDB_API_KEY": KEY, "WANDB_DIR": str(tmp_path), "WANDB_CONFIG_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(RUN), tmp_path, *FAULTS],
        env={name: value for name, value in os.environ.items() if not name.startswith("WANDB_")} | said,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [[fault, "1"] for fault in FAULTS]
    assert all("W&B:" in line and line.endswith("True") for line in lines)
    assert KEY not in done.stdout + done.stderr
