"""How likely a model finds a text after another, and whether it would have written it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from r2rec_bench.core.types import BoolArray, FloatArray
from r2rec_bench.llm.model import LanguageModel, TokenIds

_LOGITS = 2**26
"""Most scores of tokens in one forward pass: 256 MiB as float32."""


@dataclass(frozen=True, slots=True, eq=False)
class Likelihood:
    """What a model makes of answers; NaN where its tokens cannot spell one, or its context is too short.

    Attributes:
        log_p: float64 (n,), log-probability, base 2, of each answer after what is given.
        written: float64 (n,), 1 where each token of the answer is the likeliest of all, so that greedy generation
            writes it word for word, else 0.
    """

    log_p: FloatArray
    written: FloatArray


def likelihood(
    model: LanguageModel, asked: Sequence[tuple[str, str]], told: Callable[[int], None] = lambda n: None
) -> Likelihood:
    """What `model` makes of each answer, given the text before it, as plain text and not as a conversation.

    Args:
        model: any.
        asked: (n,) what is given, and the answer.
        told: how many each batch had.
    """
    begin = cast("int | None", model.tokenizer.bos_token_id)
    prompts = [[*([] if begin is None else [begin]), *ids] for ids in _encoded(model, [text for text, _ in asked])]
    answers = _encoded(model, [answer for _, answer in asked])
    unknown, longest = model.tokenizer.unk_token_id, getattr(model.model.config, "max_position_embeddings", math.inf)
    sound = [
        row
        for row, (prompt, answer) in enumerate(zip(prompts, answers, strict=True))
        if prompt and answer and unknown not in (*prompt, *answer) and len(prompt) + len(answer) <= longest
    ]
    log_p, written = np.full(len(asked), np.nan), np.full(len(asked), np.nan)
    for rows in _batches(model, sound, prompts, answers):
        nats, likeliest = _by_token(model, [prompts[row] for row in rows], [answers[row] for row in rows])
        for k, row in enumerate(rows):
            own = slice(-len(answers[row]), None)
            log_p[row] = nats[k, own].sum() / math.log(2)
            written[row] = likeliest[k, own].all()
        told(len(rows))
    return Likelihood(log_p, written)


def _by_token(
    model: LanguageModel, prompts: Sequence[TokenIds], answers: Sequence[TokenIds]
) -> tuple[FloatArray, BoolArray]:
    """Log-probability of each answer's tokens and whether they are the likeliest, (n, longest answer), at the end."""
    import torch

    texts = [prompt + answer for prompt, answer in zip(prompts, answers, strict=True)]
    keep, width = max(map(len, answers)), max(map(len, texts))
    device = model.model.device
    # Padded on the left: all answers end in the last column.
    ids = torch.tensor([[0] * (width - len(text)) + text for text in texts], device=device)
    mask = torch.tensor([[0] * (width - len(text)) + [1] * len(text) for text in texts], device=device)
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    with torch.inference_mode():
        logits = model.model(
            input_ids=ids, attention_mask=mask, position_ids=positions, logits_to_keep=keep + 1, use_cache=False
        ).logits[:, :-1]
        right = ids[:, -keep:]
        log_p = logits.float().log_softmax(-1).gather(-1, right[..., None])[..., 0]
        likeliest = logits.argmax(-1) == right
    return log_p.double().cpu().numpy(), likeliest.cpu().numpy()


def _encoded(model: LanguageModel, texts: Sequence[str]) -> list[TokenIds]:
    """Token ids in which no text from outside becomes a control token."""
    if not texts:
        return []
    return cast("Any", model.tokenizer)(list(texts), add_special_tokens=False, split_special_tokens=True)["input_ids"]


def _batches(
    model: LanguageModel, rows: Sequence[int], prompts: Sequence[TokenIds], answers: Sequence[TokenIds]
) -> Iterator[list[int]]:
    """Rows in batches of similar length, each within the model's `batch_tokens` and `_LOGITS`."""
    vocabulary: int = cast("Any", model.model).get_input_embeddings().weight.shape[0]
    batch: list[int] = []
    keep = 0
    for row in sorted(rows, key=lambda row: (len(prompts[row]) + len(answers[row]), row)):
        width = len(prompts[row]) + len(answers[row])
        wider = max(keep, len(answers[row]) + 1)
        n = len(batch) + 1
        if batch and (n * width > model.batch_tokens or n * wider * vocabulary > _LOGITS):
            yield batch
            batch, wider = [], len(answers[row]) + 1
        batch, keep = [*batch, row], wider
    if batch:
        yield batch
