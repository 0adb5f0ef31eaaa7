"""The teacher against an endpoint that is busy, broken, or gone."""

import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from r2rec_bench.core.errors import R2RecError
from tests.traces.asking import REFUSED, explained

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.mark.parametrize(
    ("header", "least"),
    [({"retry-after": "7"}, 7), ({"retry-after-ms": "1500"}, 1.5), ({"retry-after": "soon"}, 0), ({}, 0)],
)
def test_a_busy_endpoint_is_asked_again_when_it_wants(server, lessons, waits, header, least):
    server.script = lambda body, before: {"status": 429, "headers": header} if before == 0 else server.said(body)
    chosen, steps = lessons(1)
    thoughts, usage = explained(server, chosen)
    assert None not in thoughts
    assert (usage.requests, usage.retries) == (steps + 1, 1)
    assert usage.prompt_tokens == 100 * steps
    assert len(waits) == 1
    assert least < waits[0] <= least + 0.5


def test_a_date_to_come_back_at_is_understood(server, lessons, waits):
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    server.script = lambda body, before: (
        {"status": 503, "headers": {"retry-after": date}} if before == 0 else server.said(body)
    )
    explained(server, lessons(1)[0])
    assert 80 < waits[0] < 91


def test_waits_double_without_advice(server, lessons, waits):
    server.script = lambda body, before: {"status": 500} if before < 5 else server.said(body)
    thoughts, _ = explained(server, lessons(1)[0])
    assert None not in thoughts
    assert all(0.25 * 2**k <= wait <= 0.5 * 2**k for k, wait in enumerate(waits))
    assert len(waits) == 5


@pytest.mark.parametrize(
    "broken",
    [
        {"status": 408},
        {"status": 409},
        {"status": 502},
        {"fault": "closed"},
        {"body": b'{"choices": [{"mess'},
        {"body": {"choices": []}},
        {"body": {"error": "model overloaded"}},
        {"body": b"<html>502</html>", "headers": {"content-type": "text/html"}},
    ],
)
def test_what_is_broken_is_asked_again(server, lessons, waits, broken):
    server.script = lambda body, before: broken if before in {0, 2} else server.said(body)
    thoughts, usage = explained(server, lessons(1)[0], concurrency=1)
    assert None not in thoughts
    assert usage.retries == len(waits) == 2


def test_a_lesson_that_cannot_be_answered_is_given_up_and_the_others_are_not(server, lessons, waits):
    chosen, _ = lessons(4)
    cursed = chosen[2].prompt.view(1)
    server.script = lambda body, _: (
        {"status": 500} if body["messages"][-1]["content"].startswith(cursed) else server.said(body)
    )
    thoughts, usage = explained(server, chosen, concurrency=1, retries=3)
    assert [one is None for one in thoughts] == [False, False, True, False]
    assert usage.silent == {"HTTP 500": 1}
    assert usage.retries == len(waits) == 3


def test_an_endpoint_that_never_answered_ends_the_run_at_once(server, lessons, waits):
    server.script = lambda *_: {"status": 503}
    with pytest.raises(R2RecError, match=r"does not answer \(HTTP 503, after 2 retries\).*base_url"):
        explained(server, lessons(4)[0], concurrency=1, retries=2)
    assert len(server.requests) == 3
    server.shutdown()
    server.server_close()
    with pytest.raises(R2RecError, match=r"does not answer \(connection"):
        explained(server, lessons(4)[0], concurrency=1, retries=0)


def test_an_endpoint_that_goes_away_ends_the_run_after_a_while_and_what_was_answered_is_kept(server, lessons, waits):
    chosen, steps = lessons(12)
    server.script = lambda body, before: server.said(body) if before < 5 else {"status": 500}
    with pytest.raises(R2RecError, match="the same command goes on from there"):
        explained(server, chosen, concurrency=1, retries=0)
    assert len(server.requests) < steps
    server.script = lambda body, _: server.said(body)
    thoughts, usage = explained(server, chosen)
    assert None not in thoughts
    assert (usage.remembered, usage.requests) == (5, steps - 5)


@pytest.mark.parametrize(
    ("served", "advice"),
    [
        (REFUSED, "Check the key in the environment variable"),
        ({"status": 404, "body": {"error": {"message": "no model m"}}}, r"no model m.*Check teacher.model"),
        ({"status": 400, "body": {"error": {"message": "temperature\x1b[31m"}}}, "Check the settings of the teacher"),
        ({"status": 429, "body": {"error": {"message": "pay", "code": "insufficient_quota"}}}, "no quota left"),
        ({"status": 429, "headers": {"retry-after": "86400"}}, "left alone for 86400 s"),
    ],
)
def test_a_refusal_that_would_be_repeated_ends_the_run(server, lessons, waits, served, advice):
    server.script = lambda *_: served
    with pytest.raises(R2RecError, match=advice) as refusal:
        explained(server, lessons(3)[0], concurrency=1)
    assert len(server.requests) == 1
    assert waits == []
    assert str(refusal.value).isprintable()


def test_so_many_requests_are_under_way_and_no_more(server, lessons):
    chosen, _ = lessons(12)
    together = threading.Barrier(4)

    def script(body, _):
        if "k = 1, and" in body["messages"][-1]["content"]:
            together.wait(30)  # breaks unless four come at once
        return server.said(body)

    server.script = script
    thoughts, _ = explained(server, chosen, concurrency=4)
    assert None not in thoughts
    assert server.most_under_way == 4
