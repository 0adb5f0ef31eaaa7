"""One question to an OpenAI-compatible endpoint: sent again while that may help, and never beyond the budget."""

from __future__ import annotations

import asyncio
import math
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import SystemRandom
from typing import TYPE_CHECKING, Annotated, Any, cast
from urllib.parse import urlsplit

from pydantic import BaseModel, NonNegativeInt, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from r2rec_bench.core.errors import InputError, R2RecError
from r2rec_bench.prompts.wording import THINK_CLOSE, THINK_OPEN
from r2rec_bench.traces.base import Usage
from r2rec_bench.traces.conversation import Turn
from r2rec_bench.traces.purse import Prices, Purse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from openai import AsyncOpenAI

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 60.0
_LONGEST_ASKED_S = 600.0
"""A server that wants longer than this is asked another day."""
_TRY_AGAIN = frozenset({408, 409, 429})
_GATEWAY = frozenset({502, 504})
"""What says so is not the model, which may have answered, and be paid for it."""
_FRAME_TOKENS = 64
"""Generous for what chat templates add to the messages."""
_SPENT = "insufficient_quota"
_jitter = SystemRandom()  # of waiting times, never of a result
_sleep = asyncio.sleep
_timeout = asyncio.timeout


@dataclass(frozen=True, slots=True)
class Access:
    """Where and how a model is reached.

    Attributes:
        base_url: of the endpoint, without credentials.
        model: its name there.
        timeout_s: for one request, from its first byte to the answer's last.
        retries: requests after the first, where that may help.
        limit_by: what the endpoint calls the most tokens it may write.
        temperature: of sampling; None leaves it to the endpoint.
        seed: of sampling, moved by the attempt.
        prices: of the model's tokens.
    """

    base_url: str
    model: str
    timeout_s: float
    retries: int
    limit_by: str
    temperature: float | None
    seed: int
    prices: Prices

    def request(self, turn: Turn) -> dict[str, Any]:
        """The body of a request: all that decides its reply."""
        return {
            "model": self.model,
            "messages": [{"role": message.role, "content": message.content} for message in turn.messages],
            "seed": self.seed + turn.attempt,
            self.limit_by: turn.max_tokens,
            **({} if self.temperature is None else {"temperature": self.temperature}),
        }


def key_named(variable: str | None, base_url: str) -> str:
    """The key in an environment variable; empty where none is wanted.

    Raises:
        InputError: the variable is not set, and the endpoint is not on this machine.
    """
    key = os.environ.get(variable, "").strip() if variable else ""
    if key or variable is None or urlsplit(base_url).hostname in {"localhost", "127.0.0.1", "::1"}:
        return key
    raise InputError(
        f"teacher.api_key_env: the environment variable {variable} is not set, and {base_url} may want a key. Export "
        "it, name another variable, or write null for a server that wants none"
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply and what it took; tokens are the endpoint's count, or the worst case where it gives none."""

    text: str
    cut: bool
    prompt_tokens: int
    completion_tokens: int


class GaveUpError(Exception):
    """No answer after all retries; the message is the reason."""


class Endpoint:
    """A client of one endpoint, within one event loop.

    Attributes:
        usage: requests, retries, tokens and price so far; reasons for silence are not counted here.
    """

    def __init__(self, access: Access, key: str, purse: Purse, usage: Usage) -> None:
        try:
            from openai import AsyncOpenAI
        except ModuleNotFoundError:
            raise InputError("the teacher openai needs the openai client: pip install 'r2rec-bench[openai]'") from None

        self._access = access
        self._secret = key
        self._purse = purse
        self.usage = usage
        # Its own retries would send what the purse has not set aside.
        self._client: AsyncOpenAI = AsyncOpenAI(
            api_key=key or "none", base_url=access.base_url, timeout=access.timeout_s, max_retries=0
        )

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()

    async def ask(self, turn: Turn, lost: Callable[[Answer], None]) -> Answer:
        """The reply to `turn`.

        Args:
            turn: the question.
            lost: told of every request that may have been paid for and brought no answer, and of the most it can take.

        Raises:
            BudgetEndedError: a request could exceed the budget.
            GaveUpError: no answer after all retries.
            R2RecError: the endpoint refuses, and would refuse again.
        """
        prompt_tokens = _at_most(turn)
        worst = Answer("", False, prompt_tokens, turn.max_tokens)
        for sent in range(self._access.retries + 1):
            price = self._access.prices.of(worst.prompt_tokens, worst.completion_tokens)
            async with self._purse.reserved(worst.prompt_tokens + worst.completion_tokens, price) as reserve:
                try:
                    got = await self._send(turn, worst, again=sent > 0)
                except asyncio.CancelledError:  # the run ends, and this request is under way
                    lost(worst)
                    raise
                taken = got if isinstance(got, Answer) else worst if got.billed else Answer("", False, 0, 0)
                paid = self._access.prices.of(taken.prompt_tokens, taken.completion_tokens)
                reserve.settle(taken.prompt_tokens + taken.completion_tokens, paid)
            self._count(taken, paid)
            if taken is worst:
                lost(worst)
            if isinstance(got, Answer):
                return got
            if sent == self._access.retries:
                raise GaveUpError(got.reason)
            await _sleep(self._wait(got, sent))
        raise AssertionError("the last request has returned or raised")

    async def _send(self, turn: Turn, worst: Answer, *, again: bool) -> Answer | _Trouble:
        import openai

        u = self.usage
        self.usage = replace(u, requests=u.requests + 1, retries=u.retries + again)
        try:
            # The client's own timeout is one for each byte.
            async with _timeout(self._access.timeout_s):
                raw = await self._client.chat.completions.with_raw_response.create(**self._access.request(turn))
            return _read(raw.content, worst)
        except (TimeoutError, openai.APITimeoutError):
            return _Trouble("timeout", billed=True)
        except openai.APIConnectionError as error:
            # A connection that never came about carried no question.
            return _Trouble("connection", billed=not type(error.__cause__).__name__.startswith("Connect"))
        except openai.APIStatusError as error:
            status, headers = error.status_code, cast("Mapping[str, str]", error.response.headers)
            if error.code != _SPENT and (status in _TRY_AGAIN or status >= 500):
                return _Trouble(f"HTTP {status}", billed=status in _GATEWAY, wait_s=_retry_after(headers))
            raise R2RecError(
                f"{self._access.base_url} refuses to answer as {self._access.model}: HTTP {status}, "
                f"{self._clean(error.message)}. {_ADVICE.get(status, 'Check the settings of the teacher')}; "
                "what was answered so far is kept"
            ) from None

    def _clean(self, text: str) -> str:
        """`text` from outside, fit for a message: without the key, on one line, bounded."""
        hidden = text.replace(self._secret, "***") if self._secret else text
        return " ".join("".join(letter if letter.isprintable() else " " for letter in hidden).split())[:500]

    def _count(self, taken: Answer, paid: float) -> None:
        u = self.usage
        self.usage = replace(
            u,
            prompt_tokens=u.prompt_tokens + taken.prompt_tokens,
            completion_tokens=u.completion_tokens + taken.completion_tokens,
            price=u.price + paid,
        )

    def _wait(self, trouble: _Trouble, sent: int) -> float:
        """Seconds to wait after so many requests."""
        own = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2**sent) * _jitter.uniform(0.5, 1)
        if trouble.wait_s > _LONGEST_ASKED_S:
            raise R2RecError(
                f"{self._access.base_url} asks to be left alone for {trouble.wait_s:.0f} s ({trouble.reason}); come "
                "back then, what was answered so far is kept"
            )
        return trouble.wait_s + own if trouble.wait_s else own


_ADVICE = {
    401: "Check the key in the environment variable that teacher.api_key_env names",
    403: "Check what the key may do",
    404: "Check teacher.model and teacher.base_url",
    429: "The account has no quota left",
}


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why there is no answer, though asking again may bring one.

    Attributes:
        reason: in a word or two.
        billed: whether the request may have cost something.
        wait_s: seconds that the server asks to wait.
    """

    reason: str
    billed: bool
    wait_s: float = 0.0


def _if_readable(value: object, read: ValidatorFunctionWrapHandler) -> _Tokens | None:
    """An answer whose count of tokens is nonsense is an answer all the same."""
    try:
        return read(value)
    except ValidationError:
        return None


class _Message(BaseModel):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Tokens(BaseModel):
    prompt_tokens: NonNegativeInt
    completion_tokens: NonNegativeInt


class _Completion(BaseModel):
    choices: list[_Choice]
    usage: Annotated[_Tokens | None, WrapValidator(_if_readable)] = None


def _read(body: bytes, worst: Answer) -> Answer | _Trouble:
    """The answer in a response."""
    try:
        completion = _Completion.model_validate_json(body)
        choice = completion.choices[0]
    except (ValidationError, IndexError):
        return _Trouble("malformed answer", billed=True)
    text, thinking = choice.message.content or "", choice.message.reasoning_content or choice.message.reasoning
    if thinking and THINK_OPEN not in text:  # some servers take the student's own tags for a reasoning model's
        text = f"{THINK_OPEN}{thinking}{THINK_CLOSE}{text}"
    used = completion.usage or _Tokens(prompt_tokens=worst.prompt_tokens, completion_tokens=worst.completion_tokens)
    return Answer(text, choice.finish_reason == "length", used.prompt_tokens, used.completion_tokens)


def _at_most(turn: Turn) -> int:
    """No tokenizer makes more tokens of a text than it has bytes."""
    return sum(len(message.content.encode()) + _FRAME_TOKENS for message in turn.messages)


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that a response asks to wait, 0 where it does not: in milliseconds, seconds or as a date."""
    for name, per_second in (("retry-after-ms", 1_000), ("retry-after", 1)):
        try:
            seconds = float(headers.get(name, "")) / per_second
        except ValueError:
            continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    try:
        date = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return 0.0
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
