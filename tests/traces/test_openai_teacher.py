"""The teacher against an endpoint that is busy, broken, dear, slow to answer, or gone."""

import asyncio
import json
import logging
import signal
import subprocess
import sys
import textwrap
import threading
import traceback
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from r2rec_bench.core.config import validate
from r2rec_bench.core.errors import ConfigError, InputError, R2RecError
from r2rec_bench.prompts.compact import Compact
from r2rec_bench.traces import endpoint
from r2rec_bench.traces.collect import collect
from r2rec_bench.traces.endpoint import _FRAME_TOKENS
from r2rec_bench.traces.openai import OpenAi, OpenAiConfig

KEY = "sk-secret-0123456789"
REFUSED = {"status": 401, "body": {"error": {"message": f"Incorrect API key provided: {KEY}"}}}
ENOUGH = Compact().completion_tokens(1)


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
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


def teacher(server, **settings) -> OpenAi:
    return OpenAi(OpenAiConfig(**{"model": "m", "base_url": server.url, **settings}))


def explained(server, lessons, **settings):
    asked = teacher(server, **settings)
    return asked.explain(lessons, Compact()), asked.usage


def test_every_step_is_one_request_with_the_settings_and_the_key(server, lessons):
    chosen, steps = lessons(5)
    thoughts, usage = explained(server, chosen, temperature=0.5, seed=7, max_tokens=99)
    assert [len(one) for one in thoughts] == [len(lesson.steps) for lesson in chosen]
    assert len(server.requests) == usage.requests == steps
    assert (usage.prompt_tokens, usage.completion_tokens, usage.silent) == (100 * steps, 10 * steps, {})
    assert set(server.keys) == {f"Bearer {KEY}"}
    one = server.requests[0]
    assert (one["model"], one["temperature"], one["seed"], one["max_tokens"]) == ("m", 0.5, 7, 99)
    assert [message["role"] for message in one["messages"]] == ["system", "user"]


def test_what_some_models_refuse_can_be_left_out(server, lessons):
    explained(server, lessons(1)[0], temperature=None, limit_by="max_completion_tokens")
    assert "temperature" not in server.requests[0]
    assert "max_tokens" not in server.requests[0]
    assert server.requests[0]["max_completion_tokens"] == ENOUGH


def test_another_attempt_has_another_seed(server, lessons):
    server.script = lambda body, before: server.said(body, "nonsense" if before == 0 else None)
    thoughts, usage = explained(server, lessons(1)[0], seed=3, concurrency=1)
    assert [body["seed"] for body in server.requests[:3]] == [3, 4, 3]
    assert None not in thoughts
    assert usage.retries == 0


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


def test_no_message_log_or_file_has_the_key(server, lessons, caplog, capfd, tmp_path):
    caplog.set_level(logging.DEBUG)
    chosen, _ = lessons(2)
    explained(server, chosen[:1])
    server.script = lambda *_: REFUSED
    with pytest.raises(R2RecError) as refusal:
        explained(server, chosen)
    told = "".join(traceback.format_exception(refusal.value)) + caplog.text + "".join(capfd.readouterr())
    assert "***" in told
    assert "chat/completions" in caplog.text  # the client did log, and not the key
    kept = [file.read_text() for file in tmp_path.rglob("*") if file.is_file()]
    assert any(kept)
    assert not [text for text in (told, *kept, repr(teacher(server).config)) if KEY in text]
    assert set(server.keys) == {f"Bearer {KEY}"}


def test_a_key_given_as_a_setting_is_refused_and_not_repeated():
    for settings in (
        {"api_key_env": KEY},
        {"base_url": f"https://user:{KEY}@host/v1"},
        {"base_url": f"https://h/?k={KEY}"},
    ):
        with pytest.raises(ConfigError) as refusal:
            validate(OpenAiConfig, {"model": "m", **settings}, "x.yaml")
        assert KEY not in "".join(traceback.format_exception(refusal.value))
        assert next(iter(settings)) in str(refusal.value)


def test_a_missing_key_is_named_and_this_machine_needs_none(server, lessons, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    chosen, _ = lessons(1)
    with pytest.raises(InputError, match=r"environment variable OPENAI_API_KEY is not set.*api\.openai\.com"):
        OpenAi(OpenAiConfig(model="m")).explain(chosen, Compact())
    assert None not in explained(server, chosen)[0]
    assert None not in explained(server, chosen, api_key_env=None, seed=1)[0]


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


def at_most(body) -> int:
    """Bytes and a frame per message as tokens, and all tokens that may be written."""
    return sum(len(m["content"].encode()) + _FRAME_TOKENS for m in body["messages"]) + body["max_tokens"]


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("budget", [4_000, 20_000])
def test_an_endpoint_that_takes_all_it_may_stays_within_the_budget(server, lessons, concurrency, budget):
    chosen, steps = lessons(8)
    server.script = lambda body, _: server.said(body, usage=(at_most(body) - body["max_tokens"], body["max_tokens"]))
    prices = {"price_in": 1e6, "price_out": 1e6}  # 1 a token
    thoughts, usage = explained(server, chosen, concurrency=concurrency, budget=float(budget), **prices)
    taken = [at_most(body) for body in server.requests]
    assert usage.price == sum(taken) <= budget
    assert len(taken) < steps
    # What was left was too little for any request.
    assert budget - sum(taken) < max(taken)
    assert usage.silent == {"the budget is spent": sum(one is None for one in thoughts)}


def test_what_requests_really_take_is_what_counts(server, lessons):
    """A budget for two worst cases is enough for many small replies, one at a time."""
    chosen, steps = lessons(8)
    server.script = lambda body, _: server.said(body, usage=(1, 1))
    thoughts, usage = explained(server, chosen, budget_tokens=8_000)
    assert None not in thoughts
    assert usage.prompt_tokens + usage.completion_tokens == 2 * steps


def test_a_reply_without_usage_or_that_never_came_counts_as_its_worst_case(server, lessons, waits):
    chosen, _ = lessons(1)
    unsaid = server.said({}, "#1 w0 f3")
    del unsaid["body"]["usage"]
    server.script = lambda body, before: (
        unsaid
        if before == 0
        else {"body": b"{"}
        if before == 1
        else {"status": 500}
        if before == 2
        else server.said(body)
    )
    _, usage = explained(server, chosen, concurrency=1)
    counted = usage.prompt_tokens + usage.completion_tokens
    assert counted == at_most(server.requests[0]) + at_most(server.requests[1]) + 110 * (len(server.requests) - 3)


def test_a_budget_for_nothing_is_an_error(server, lessons):
    with pytest.raises(InputError, match="budget does not allow a single request"):
        explained(server, lessons(2)[0], budget_tokens=10)
    assert server.requests == []


def test_a_budget_needs_prices():
    with pytest.raises(ConfigError, match="budget needs price_in and price_out"):
        validate(OpenAiConfig, {"model": "m", "budget": 5.0}, "x.yaml")


def test_the_budget_covers_earlier_runs_too(server, lessons):
    chosen, steps = lessons(8)
    server.script = lambda body, _: server.said(body, usage=(900, 100))
    first, paid = explained(server, chosen, budget_tokens=8_000, concurrency=1)
    asked = len(server.requests)
    again, nothing = explained(server, chosen, budget_tokens=8_000, concurrency=1)
    assert 0 < asked == len(server.requests) < steps
    assert (nothing.requests, nothing.remembered) == (0, paid.requests)
    assert again == first
    more, _ = explained(server, chosen, budget_tokens=80_000)
    assert None not in more
    assert len(server.requests) == steps


def test_a_second_run_asks_nothing_and_costs_nothing(server, lessons, monkeypatch):
    chosen, steps = lessons(4)
    prices = {"price_in": 1.0, "price_out": 2.0}
    first, paid = explained(server, chosen, **prices)
    assert paid.price == pytest.approx(steps * (100 * 1.0 + 10 * 2.0) / 1e6)
    monkeypatch.delenv("OPENAI_API_KEY")
    server.shutdown()
    server.server_close()
    second, free = explained(server, chosen, **prices)
    assert second == first
    assert (free.requests, free.price, free.remembered) == (0, 0.0, steps)
    assert free.remembered_price == pytest.approx(paid.price)


def test_other_sampling_is_another_question(server, lessons):
    chosen, steps = lessons(2)
    for settings in ({}, {"seed": 1}, {"temperature": 0.5}, {"max_tokens": 50}, {"model": "other"}):
        explained(server, chosen, **settings)
    assert len(server.requests) == 5 * steps
    explained(server, chosen, concurrency=2, timeout=9.0, retries=1, price_in=1.0)  # which change no reply
    assert len(server.requests) == 5 * steps


def test_it_works_where_a_loop_is_running(server, lessons):
    chosen, _ = lessons(2)

    async def notebook():
        return explained(server, chosen)

    assert None not in asyncio.run(notebook())[0]


def test_collecting_counts_what_the_teacher_took_and_why_it_was_silent(server, asker, training):
    """Every third lesson's first line is not to be read."""
    asking, queries = asker(), training(30)
    lessons = [asking.lesson(query) for query in queries]
    firsts = {lesson.prompt.view(1) for lesson in lessons[::3] if lesson.steps}
    hopeless = sum(lesson.prompt.view(1) in firsts and bool(lesson.steps) for lesson in lessons)

    def script(body, _):
        content = body["messages"][-1]["content"]
        bad = "k = 1, and" in content and any(content.startswith(first) for first in firsts)
        return server.said(body, "no" if bad else None)

    server.script = script
    found = collect(asking, teacher(server), queries, lambda *_: None)
    assert found.dropped == {"the teacher gave none: does not parse": hopeless}
    assert len(found.traces) == 30 - hopeless > 0
    assert found.usage.requests == len(server.requests)


def test_thinking_that_a_server_took_out_is_put_back(server, lessons):
    """`transformers serve` and vLLM move what stands in think tags to a field of its own for some models."""
    chosen, _ = lessons(1)
    block = " ".join(f"#{k} w0 f3" for k in range(1, len(chosen[0].steps) + 1))
    for name in ("reasoning_content", "reasoning"):
        served = server.said({}, " <answer> =3")
        served["body"]["choices"][0]["message"][name] = f" {block} "
        server.script = lambda *_, served=served: served
        thoughts, _ = explained(server, chosen, masking="whole", seed=len(name))
        assert [thought.forecast for thought in thoughts[0]] == [3] * len(chosen[0].steps)


CHILD = """
    import sys
    from r2rec_bench.prompts.compact import Compact
    from r2rec_bench.traces.conversation import Talk
    from r2rec_bench.traces.openai import OpenAi, OpenAiConfig
    import r2rec_bench.traces.openai as room

    class Alone(Talk):
        '''One question per lesson; the lesson is a number.'''
        def __init__(self, lesson, wording, config):
            from r2rec_bench.traces.conversation import Turn
            self.turn, self.result = Turn("", f"k = {lesson}, and", 20, 0), ()
        def hear(self, reply):
            self.turn = None

    room.Talk = Alone
    teacher = OpenAi(OpenAiConfig(model="m", base_url=sys.argv[1], concurrency=1))
    teacher.explain(range(int(sys.argv[2])), Compact())
    print(teacher.usage.requests, teacher.usage.remembered)
"""


def test_what_a_killed_run_had_paid_for_is_not_asked_again(server):
    """The process is killed while its fifth question is being answered: no clean-up of any kind."""
    command = [sys.executable, "-c", textwrap.dedent(CHILD), server.url, "9"]
    children = []

    def script(body, before):
        if before == 4:
            children[0].kill()
            children[0].wait()
        return server.said(body)

    server.script = script
    children.append(subprocess.Popen(command))
    assert children[0].wait() == -signal.SIGKILL
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    asked = Counter(json.dumps(body["messages"]) for body in server.requests)
    assert len(asked) == 9
    assert sorted(asked.values()) == [1] * 8 + [2]  # the one that nobody heard the answer to
    assert done.stdout.split() == ["5", "4"]
    assert server.line_asked_for(server.requests[-1]) == "#8 w+1 f4"
