"""The teacher at an endpoint: what it asks, with which key, and what it makes of the replies."""

import asyncio
import logging
import traceback

import pytest

from r2rec_bench.core.config import validate
from r2rec_bench.core.errors import ConfigError, InputError, R2RecError
from r2rec_bench.prompts.compact import Compact
from r2rec_bench.traces.collect import collect
from r2rec_bench.traces.openai import OpenAi, OpenAiConfig
from tests.traces.asking import ENOUGH, KEY, REFUSED, explained, teacher

pytestmark = pytest.mark.usefixtures("own_cache")


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
