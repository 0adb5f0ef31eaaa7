"""The teacher behind a network that loses, breaks and delays: nothing lost, nothing twice, never beyond the budget."""

import asyncio
import gzip
import json
import random
from collections import Counter
from contextlib import suppress

import pytest

from r2rec_bench.core.errors import R2RecError
from r2rec_bench.traces import endpoint
from r2rec_bench.traces.collect import collect
from r2rec_bench.traces.endpoint import _FRAME_TOKENS
from r2rec_bench.traces.openai import OpenAi, OpenAiConfig

pytestmark = pytest.mark.usefixtures("waits", "own_cache")

UNANSWERED = {
    "429": {"status": 429},
    "429, wait": {"status": 429, "headers": {"retry-after": "3"}},
    "500": {"status": 500},
    "503, HTML": {"status": 503, "body": b"<html>down</html>", "headers": {"content-type": "text/html"}},
}
"""The model was not asked: nothing is to be paid."""
LOST = {
    "reset": {"fault": "reset"},
    "closed": {"fault": "closed"},
    "half a body": {"fault": "half"},
    "502": {"status": 502},
    "504": {"status": 504},
    "truncated JSON": {"body": b'{"choices": [{"index": 0, "message": {"role": "assista'},
    "HTML": {"body": b"<html>Sign in</html>", "headers": {"content-type": "text/html"}},
    "empty": {"body": b""},
    "null": {"body": b"null"},
    "nested": {"body": b"[" * 10_000},
    "no UTF-8": {"body": b'{"choices": [{"message": {"content": "\xff\xfe"}}]}'},
    "no gzip": {"body": b"not compressed", "headers": {"content-encoding": "gzip"}},
    "half a gzip": {"body": gzip.compress(b"x" * 999)[:20], "headers": {"content-encoding": "gzip"}},
}
"""The model may have answered, and is paid for it."""
FAULTS = UNANSWERED | LOST
READ, WRITTEN = 40, 20
_KNOWN = []


@pytest.fixture
def collected(server, asker, training):
    """Traces of the same twelve questions, by a teacher of its own each time, and the usage."""
    asking = asker()

    def run(**settings):
        teacher = OpenAi(OpenAiConfig(model="m", base_url=server.url, api_key_env=None, **settings))
        return collect(asking, teacher, training(12), lambda *_: None)

    return run


@pytest.fixture
def undisturbed(server, collected):
    """Traces, and requests that they take."""
    if not _KNOWN:
        found = collected(seed=99)
        _KNOWN.append((found.traces, found.usage.requests))
        server.requests.clear()
    return _KNOWN[0]


class Faulty:
    """A server's script in which a share of the requests meets a fault; keeps an account of what the model is owed."""

    def __init__(self, server, seed, share, names=tuple(FAULTS)):
        self.server, self.share, self.names = server, share, names
        self.random = random.Random(seed)
        self.heard = Counter()
        self.owed = self.faults = 0

    def __call__(self, body, before):
        with self.server.lock:
            fault = self.random.choice(self.names) if self.random.random() < self.share else None
            self.faults += fault is not None
            self.heard[json.dumps(body)] += fault is None
            self.owed += 0 if fault in UNANSWERED else READ + WRITTEN
        answer = self.server.said(body, usage=(READ, WRITTEN))
        return answer if fault is None else answer | FAULTS[fault]


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=[pytest.mark.long] * (seed > 0)) for seed in range(40)])
def test_through_faults_of_every_kind_come_the_same_traces_each_paid_once(server, collected, undisturbed, seed):
    traces, requests = undisturbed
    script = server.script = Faulty(server, seed, share=0.5)
    found = collected(retries=20)
    assert found.traces == traces
    assert list(script.heard.values()) == [1] * requests
    assert found.usage.requests == len(server.requests) == requests + script.faults
    assert found.usage.retries == script.faults > 0
    assert found.usage.prompt_tokens + found.usage.completion_tokens >= script.owed


def stays(server, collected, undisturbed, said):
    """Two questions in a row are answered as `said` after five that are answered well, and then all are well again."""
    traces, requests = undisturbed
    server.script = lambda body, before: server.said(body) | (said if before >= 5 else {})
    with pytest.raises(R2RecError, match=r"does not answer \(.*after 1 retries.*the same command goes on from there"):
        collected(retries=1, concurrency=1)
    assert len(server.requests) == 5 + 2 * 2
    server.script = lambda body, _: server.said(body)
    found = collected(retries=1, concurrency=1)
    assert found.traces == traces
    assert (found.usage.remembered, found.usage.requests) == (5, requests - 5)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_stays_ends_the_run_and_the_same_command_goes_on(server, collected, undisturbed, fault):
    stays(server, collected, undisturbed, FAULTS[fault])


def test_an_answer_byte_by_byte_that_does_not_end_is_given_up_in_time(server, collected, undisturbed, monkeypatch):
    """The time is over as soon as the bytes begin to come, and not for the want of one."""
    begun = []

    def timeout(seconds):
        assert seconds == 120
        begun.append((asyncio.get_running_loop(), asyncio.timeout(None)))
        return begun[-1][1]

    def time_is_over():
        loop, last = begun[-1]
        loop.call_soon_threadsafe(lambda: last.reschedule(loop.time()))

    monkeypatch.setattr(endpoint, "_timeout", timeout)
    server.dripping = time_is_over
    stays(server, collected, undisturbed, {"fault": "slow"})


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("seed", [pytest.param(seed, marks=[pytest.mark.long] * (seed > 0)) for seed in range(20)])
def test_faults_and_runs_that_break_off_never_take_the_model_over_the_budget(
    server, collected, undisturbed, seed, concurrency
):
    traces, _ = undisturbed
    script = server.script = Faulty(server, seed, share=0.6)
    for _ in range(4):
        with suppress(R2RecError):
            found = collected(retries=0, concurrency=concurrency, budget_tokens=20_000)
            assert set(found.traces) <= set(traces)
    assert script.owed <= 20_000
    # Of several at a time some are under way when a run ends, and are asked again.
    assert concurrency > 1 or max(script.heard.values()) <= 1


def test_what_was_lost_counts_against_the_budget_of_the_next_run(server, collected):
    """Every request is taken for the worst that it can have cost, by whichever run it was sent."""
    server.script = lambda *_: LOST["reset"]
    sent = []
    for _ in range(6):
        with suppress(R2RecError):
            collected(retries=1, concurrency=1, budget_tokens=6_000)
        sent.append(len(server.requests))
    assert sent[0] == 2
    assert sent[0] < sent[-1] == sent[-2]
    assert sum(map(worst, server.requests)) <= 6_000


def test_what_was_under_way_when_a_run_ended_counts_too(server, collected):
    """One request is refused while another is still without its answer."""

    def script(body, before):
        if before == 1:
            return {"status": 401}
        server.over.wait()
        return server.said(body)

    server.script = script
    with pytest.raises(R2RecError, match="HTTP 401"):
        collected(concurrency=2, price_in=1e6, price_out=1e6, budget=1e9)  # 1 a token
    unheard = worst(server.requests[0])
    server.script = lambda body, _: server.said(body)
    assert collected(concurrency=2, price_in=1e6, price_out=1e6, budget=1e9).usage.remembered_price == unheard


def worst(body):
    """Most tokens that a request may take."""
    read = sum(len(message["content"].encode()) + _FRAME_TOKENS for message in body["messages"])
    return read + body["max_tokens"]


@pytest.mark.parametrize("usage", [{"prompt_tokens": -9_999, "completion_tokens": 1}, {"total_tokens": 5}, [], "many"])
def test_a_count_of_tokens_that_is_nonsense_is_the_worst_case(server, collected, usage):
    def script(body, _):
        answer = server.said(body)
        answer["body"]["usage"] = usage
        return answer

    server.script = script
    found = collected()
    assert (len(found.traces), found.usage.retries) == (12, 0)
    assert found.usage.prompt_tokens + found.usage.completion_tokens == sum(map(worst, server.requests))
