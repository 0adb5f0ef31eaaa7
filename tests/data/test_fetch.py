"""Downloads from a server that does not keep its word."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from r2rec_bench.data.fetch import download

CONTENT = b"user,item,rating,time\n" * 5_000


def answer(headers: str, content: bytes = CONTENT) -> bytes:
    return f"HTTP/1.1 200 OK\r\n{headers}\r\n\r\n".encode() + content


@contextmanager
def serving(sent: bytes) -> Iterator[str]:
    """The address of a server that sends this, whatever it is asked, and hangs up."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/ratings.csv"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def online(monkeypatch):
    monkeypatch.delenv("R2REC_OFFLINE", raising=False)


def test_a_file_that_came_whole_is_kept_under_its_name(tmp_path):
    with serving(answer(f"Content-Length: {len(CONTENT)}")) as url:
        assert download(url, tmp_path) == (tmp_path / "ratings.csv", "")
    assert (tmp_path / "ratings.csv").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("sent", "failure"),
    [
        (answer(f"Content-Length: {len(CONTENT) + 7}"), "ended 7 bytes before its end"),
        (answer("Transfer-Encoding: chunked", b"ff\r\nabc"), "IncompleteRead"),
        (b"no protocol\r\n\r\n", "BadStatusLine"),
    ],
)
def test_what_breaks_off_or_is_no_answer_is_no_file_though_nobody_knows_its_checksum(tmp_path, sent, failure):
    with serving(sent) as url:
        file, why = download(url, tmp_path)
    assert file is None
    assert why.startswith(f"{url}: {failure}")
    assert list(tmp_path.iterdir()) == []
