"""A teacher behind an OpenAI-compatible endpoint: a service, or a vLLM or `transformers serve` of one's own."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from r2rec_bench.core.config import Config, refused
from r2rec_bench.core.errors import InputError, Problem, R2RecError
from r2rec_bench.core.fingerprint import digest
from r2rec_bench.core.paths import cache_root
from r2rec_bench.core.texts import Thought
from r2rec_bench.prompts.wording import Wording
from r2rec_bench.traces.base import Lesson, Teacher, Usage, teachers
from r2rec_bench.traces.conversation import ConversationConfig, Reply, Silence, Talk, Turn
from r2rec_bench.traces.endpoint import Access, Answer, Endpoint, GaveUpError, key_named
from r2rec_bench.traces.memory import Memory, Remembered
from r2rec_bench.traces.purse import BudgetEndedError, Prices, Purse

R = TypeVar("R")
_SPENT = "the budget is spent"
_NAME = 60
"""Most letters of a model's name in that of its file."""


class _Model(Config):
    """Which model; apart from what follows only so that `openai:<model>` names it."""

    model: Annotated[str, Field(min_length=1)]
    """Its name at the endpoint."""
    base_url: str = "https://api.openai.com/v1"
    """Where it is, `/v1` or the like included."""
    api_key_env: str | None = "OPENAI_API_KEY"
    """Environment variable that holds the key; null for none. The key itself is no setting and is kept nowhere."""

    @field_validator("api_key_env")
    @classmethod
    def _is_a_name(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[A-Z][A-Z0-9_]*", value):
            said = "expected the name of an environment variable, such as OPENAI_API_KEY, and never the key"
            raise refused(Problem("", said))
        return value

    @field_validator("base_url")
    @classmethod
    def _has_no_credentials(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.username or parts.password or parts.query or parts.scheme not in {"http", "https"}:
            said = (
                "expected http:// or https:// and a host, without user, password and query: a key belongs into the "
                "environment variable that api_key_env names"
            )
            raise refused(Problem("", said))
        return value


class OpenAiConfig(ConversationConfig, _Model):
    """An endpoint, how its model is asked, and what that may cost."""

    temperature: Annotated[float, Field(ge=0, le=2)] | None = 0.0
    """0 takes the likeliest tokens; null says nothing of it, for models that allow none but their own."""
    concurrency: Annotated[int, Field(ge=1, le=512)] = 8
    """Requests under way at a time."""
    timeout: Annotated[float, Field(gt=0, le=3600)] = 120.0
    """Seconds for one request, from its first byte to the answer's last."""
    retries: Annotated[int, Field(ge=0, le=20)] = 6
    """Requests after the first where the server is busy, broken or out of reach; waits double, or are the server's."""
    limit_by: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """What the endpoint calls the most tokens of a reply; newer models of OpenAI want the second."""
    price_in: Annotated[float, Field(ge=0)] = 0.0
    """Per million tokens read, in any currency."""
    price_out: Annotated[float, Field(ge=0)] = 0.0
    """Per million tokens written."""
    budget: Annotated[float, Field(gt=0)] | None = None
    """Most that these traces may cost in all, earlier runs and answers that never came included; nothing is sent that
    could exceed it. Of a run that was killed, what was under way is not known: at most `concurrency` requests."""
    budget_tokens: Annotated[int, Field(ge=1)] | None = None
    """Most tokens, read and written, in all."""

    @model_validator(mode="after")
    def _budget_has_prices(self) -> Self:
        if self.budget is not None and not (self.price_in or self.price_out):
            raise ValueError("budget needs price_in and price_out; or limit budget_tokens")
        return self


@teachers.register("openai")
class OpenAi(Teacher):
    """A model behind an OpenAI-compatible endpoint writes the thoughts: `openai:<model>`.

    Every reply is on disk before it is used, below the cache in `teachers`: a run that was cut off goes on where it
    stopped, and what was paid for is not asked again.

    Source: the conversation is R2Rec's (arXiv 2506.05069), its words this project's.
    """

    config: OpenAiConfig
    batch: ClassVar[int] = 512

    def __init__(self, config: OpenAiConfig) -> None:
        super().__init__(config)
        self._access = _access(config)
        self._memory = Memory(_path(config))
        self._usage = Usage()
        self._remembered_tokens = 0
        self._answered = False
        self._ended = False
        self._in_a_row = 0

    @property
    def usage(self) -> Usage:
        return self._usage

    def explain(self, lessons: Sequence[Lesson], wording: Wording) -> list[tuple[Thought, ...] | None]:
        talks = [Talk(lesson, wording, self.config) for lesson in lessons]
        with self._memory.opened():
            for talk in talks:
                self._recall(talk)
            if any(talk.turn for talk in talks):
                _in_a_loop(self._ask_all(talks))
        silent = Counter(self._usage.silent)
        silent.update(talk.result.reason for talk in talks if isinstance(talk.result, Silence))
        self._usage = replace(self._usage, silent=dict(silent))
        if self._ended and not (self._answered or self._remembered_tokens):
            raise InputError(
                "teacher: the budget does not allow a single request, whose worst case counts: all of the prompt's "
                "bytes as tokens, and max_tokens written. Raise budget or budget_tokens, or lower max_tokens"
            )
        return [talk.thoughts for talk in talks]

    def _recall(self, talk: Talk) -> None:
        """Moves a conversation on as far as its replies are known; what they cost counts against the budget."""
        while talk.turn:
            key = self._key(talk.turn)
            known = self._memory.get(key)
            before = [*self._memory.lost(key), *([known] if known else [])]
            u = self._usage
            self._usage = replace(
                u,
                remembered=u.remembered + bool(known),
                remembered_price=u.remembered_price + sum(one.price for one in before),
            )
            self._remembered_tokens += sum(one.prompt_tokens + one.completion_tokens for one in before)
            if not known:
                return
            talk.hear(_reply(known))

    async def _ask_all(self, talks: Sequence[Talk]) -> None:
        u, c = self._usage, self.config
        key = key_named(c.api_key_env, c.base_url)
        purse = Purse(
            c.budget,
            c.budget_tokens,
            spent=u.price + u.remembered_price,
            spent_tokens=u.prompt_tokens + u.completion_tokens + self._remembered_tokens,
        )
        endpoint = Endpoint(self._access, key, purse, u)
        waiting = iter([talk for talk in talks if talk.turn])
        workers = [asyncio.create_task(self._work(endpoint, waiting)) for _ in range(c.concurrency)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            await endpoint.close()
            self._usage = endpoint.usage

    async def _work(self, endpoint: Endpoint, waiting: Iterator[Talk]) -> None:
        for talk in waiting:
            while talk.turn:
                try:
                    await self._take_turn(endpoint, talk, talk.turn)
                except BudgetEndedError:
                    self._ended = True
                    talk.give_up(_SPENT)
                except GaveUpError as error:
                    talk.give_up(str(error))
                    self._despair(str(error))

    async def _take_turn(self, endpoint: Endpoint, talk: Talk, turn: Turn) -> None:
        key = self._key(turn)
        known = self._memory.get(key)
        if known is None:
            if self._ended:
                raise BudgetEndedError
            answer = await endpoint.ask(turn, lambda most: self._memory.keep(self._paid(key, most, text=None)))
            self._answered, self._in_a_row = True, 0
            known = self._paid(key, answer, text=answer.text)
            self._memory.keep(known)
        talk.hear(_reply(known))

    def _paid(self, key: str, answer: Answer, *, text: str | None) -> Remembered:
        price = self._access.prices.of(answer.prompt_tokens, answer.completion_tokens)
        return Remembered(key, text, answer.cut, answer.prompt_tokens, answer.completion_tokens, price)

    def _despair(self, reason: str) -> None:
        """Ends a run in which nothing is answered any more.

        Raises:
            R2RecError: no request has been answered yet, or none of the last ones was.
        """
        self._in_a_row += 1
        if self._answered and self._in_a_row < 2 * self.config.concurrency:
            return
        raise R2RecError(
            f"{self.config.base_url} does not answer ({reason}, after {self.config.retries} retries). Check that it "
            "is up, and teacher.base_url; what was answered so far is kept, and the same command goes on from there"
        )

    def _key(self, turn: Turn) -> str:
        return digest(self._access.request(turn))


def _reply(known: Remembered) -> Reply:
    return Reply(known.text or "", known.cut)


def _access(c: OpenAiConfig) -> Access:
    return Access(
        base_url=c.base_url,
        model=c.model,
        timeout_s=c.timeout,
        retries=c.retries,
        limit_by=c.limit_by,
        temperature=c.temperature,
        seed=c.seed,
        prices=Prices(c.price_in, c.price_out),
    )


def _path(c: OpenAiConfig) -> Path:
    """Where the replies of this model, sampled this way, are kept."""
    decides = c.model_dump(mode="json", include={"model", "base_url", "temperature", "seed", "limit_by"})
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", c.model).strip("._")[-_NAME:]
    return cache_root() / "teachers" / f"{name}-{digest(decides)[:12]}.jsonl"


def _in_a_loop(work: Coroutine[Any, Any, R]) -> R:
    """The result of `work`, also where the caller, such as a notebook, has a loop that is running."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as other:
        return other.submit(asyncio.run, work).result()
