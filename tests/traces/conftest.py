"""A small generated world, asked about in every way."""

import asyncio
import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from r2rec_bench.chains.closed_uniform import ClosedUniform, ClosedUniformConfig
from r2rec_bench.core.types import NONE_RATING, RATINGS, InteractionLog, Visibility
from r2rec_bench.data.base import Dataset
from r2rec_bench.data.sources.synthetic import Synthetic, SyntheticConfig
from r2rec_bench.graph import InteractionGraph
from r2rec_bench.prompts.base import StrategyConfig, prompt_strategies
from r2rec_bench.prompts.wordings import wording_named
from r2rec_bench.traces import endpoint
from r2rec_bench.traces.collect import Asker
from r2rec_bench.traces.queries import QueriesConfig, TrainingQuery, draw_queries
from tests.traces.asking import KEY


@pytest.fixture(scope="session")
def small_world() -> Dataset:
    return Synthetic(SyntheticConfig(users=60, items=60, interactions=12)).load()


@pytest.fixture(scope="session")
def unrated(small_world) -> InteractionLog:
    """The same interactions as implicit feedback."""
    return replace(small_world.log, rating=np.full(len(small_world.log), np.nan, np.float32))


@pytest.fixture(scope="session")
def asker(small_world) -> Callable[..., Asker]:
    def make(
        *, evidence="bundle", wording="compact", strategy="progressive_mask", log=None, budget=4096, interaction=True
    ):
        return Asker(
            InteractionGraph(log or small_world.log, Visibility.FOLD),
            small_world.catalog,
            ClosedUniform(ClosedUniformConfig(n=4, evidence=evidence)),
            prompt_strategies.get(strategy)(StrategyConfig(budget=budget)),
            wording_named(wording),
            lambda text: len(text.split()),
            (NONE_RATING, *RATINGS) if interaction else RATINGS,
            seed=0,
        )

    return make


@pytest.fixture(scope="session")
def training(small_world) -> Callable[..., list[TrainingQuery]]:
    def make(n=60, *, touched=0.5, log=None) -> list[TrainingQuery]:
        return draw_queries(log or small_world.log, QueriesConfig(n=n, touched=touched), 0)

    return make


Body = dict[str, Any]
Served = dict[str, Any]
"""What is answered, all of it optional: `status`, `body`, `headers`; and what becomes of it on the way, `fault`:
`reset` and `closed` after nothing, `half` after half of it, `slow` byte by byte and never to its end."""


class ScriptedServer(ThreadingHTTPServer):
    """An endpoint on loopback whose answers are a function of the request and of how many came before it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script: Callable[[Body, int], Served] = lambda body, _: self.said(body)
        self.requests: list[Body] = []
        self.keys: list[str | None] = []
        self.lock = threading.Lock()
        self.under_way = self.most_under_way = 0
        self.over = threading.Event()
        self.dripping: Callable[[], object] = lambda: None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    @staticmethod
    def line_asked_for(body: Body) -> str:
        """The compact line of whatever step a progressive request asks for."""
        return f"#{re.search(r'k = ([0-9]+), and', body['messages'][-1]['content'])[1]} w+1 f4"

    def said(self, body: Body, text: str | None = None, usage: tuple[int, int] = (100, 10)) -> Served:
        """A completion as endpoints give it."""
        message = {"role": "assistant", "content": self.line_asked_for(body) if text is None else text}
        tokens = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
        return {"body": {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": tokens}}

    def handle_error(self, request, client_address) -> None:
        """A client that was killed is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: ScriptedServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        s = self.server
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with s.lock:
            before = len(s.requests)
            s.requests.append(body)
            s.keys.append(self.headers["authorization"])
            s.under_way += 1
            s.most_under_way = max(s.most_under_way, s.under_way)
        served = s.script(body, before)
        with s.lock:
            s.under_way -= 1
        fault = served.get("fault")
        self.close_connection = fault is not None
        if fault == "reset":  # rather than closed in order
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if fault in {"reset", "closed"}:
            return
        answer = served.get("body", {})
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(served.get("status", 200))
        for name, value in {"content-type": "application/json", **served.get("headers", {})}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        if fault == "slow":
            self._drip()
        else:
            self.wfile.write(content[: len(content) // 2] if fault == "half" else content)

    def _drip(self) -> None:
        """A space now and then, which JSON may begin with, until whoever waits for more has gone."""
        self.server.dripping()
        with suppress(OSError):
            while not self.server.over.wait(0.02):
                self.wfile.write(b" ")

    def log_message(self, *args) -> None:
        """Nobody reads it."""


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def own_cache(monkeypatch, tmp_path) -> None:
    """Replies are kept in a cache of the test's own, and there is a key."""
    monkeypatch.setenv("R2REC_CACHE", str(tmp_path))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.fixture
def waits(monkeypatch) -> list[float]:
    """Seconds that were to be waited for, and were not."""
    waited: list[float] = []

    async def at_once(seconds: float) -> None:
        waited.append(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr(endpoint, "_sleep", at_once)
    return waited


@pytest.fixture
def lessons(asker, training):
    """So many lessons with two steps each or more, and how many requests all of their steps take."""
    asking = asker()

    def make(n: int):
        chosen = [lesson for lesson in map(asking.lesson, training()) if len(lesson.steps) >= 2][:n]
        assert len(chosen) == n
        return chosen, sum(len(lesson.steps) for lesson in chosen)

    return make
