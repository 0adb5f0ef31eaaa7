"""What the teacher may spend, what counts as spent, and that nothing is paid for twice."""

import json
import signal
import subprocess
import sys
import textwrap
from collections import Counter

import pytest

from r2rec_bench.core.config import validate
from r2rec_bench.core.errors import ConfigError, InputError
from r2rec_bench.traces.openai import OpenAiConfig
from tests.traces.asking import at_most, explained

pytestmark = pytest.mark.usefixtures("own_cache")


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
