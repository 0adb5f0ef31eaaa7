"""A teacher behind the scripted server, and what it may take."""

from r2rec_bench.prompts.compact import Compact
from r2rec_bench.traces.endpoint import _FRAME_TOKENS
from r2rec_bench.traces.openai import OpenAi, OpenAiConfig

KEY = "sk-secret-0123456789"
REFUSED = {"status": 401, "body": {"error": {"message": f"Incorrect API key provided: {KEY}"}}}
ENOUGH = Compact().completion_tokens(1)


def teacher(server, **settings) -> OpenAi:
    return OpenAi(OpenAiConfig(**{"model": "m", "base_url": server.url, **settings}))


def explained(server, lessons, **settings):
    asked = teacher(server, **settings)
    return asked.explain(lessons, Compact()), asked.usage


def at_most(body) -> int:
    """Bytes and a frame per message as tokens, and all tokens that may be written."""
    return sum(len(m["content"].encode()) + _FRAME_TOKENS for m in body["messages"]) + body["max_tokens"]
