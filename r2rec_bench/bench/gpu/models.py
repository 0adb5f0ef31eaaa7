"""The models measured, from nothing: no weights are fetched. And how much is asked of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from r2rec_bench.llm.nano import NanoShape, new_model, new_tokenizer
from r2rec_bench.testing.models import chat_tokenizer

if TYPE_CHECKING:
    import torch

Dtype = Literal["float32", "bfloat16"]


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of one model.

    Attributes:
        batch: lessons in a pass of fine-tuning.
        steps: passes of fine-tuning, and updates of GRPO; the first of them are not counted.
        prompts: of an update, each answered by `group` completions.
        group: completions of each.
        completion: tokens of each at most.
        users: whose lists of candidates are scored.
    """

    batch: int
    steps: int
    prompts: int
    group: int
    completion: int
    users: int


@dataclass(frozen=True, slots=True)
class Sizes:
    """One scale of the whole bench.

    Attributes:
        scale: for the report; 1 is what targets are judged by.
        dtype: of weights in memory.
        shape: of the from-scratch model.
        chat: the other's, as in Qwen2's config.
        small: asked of the first.
        large: asked of the other.
        overrides: of the experiment.
        training: further ones, where it is run as a whole.
        pretrain: settings of the first one's pretraining, beside its shape.
    """

    scale: float
    dtype: Dtype
    shape: NanoShape
    chat: dict[str, Any]
    small: Load
    large: Load
    overrides: tuple[str, ...]
    training: tuple[str, ...]
    pretrain: dict[str, Any]


FULL = Sizes(
    scale=1,
    dtype="bfloat16",
    shape=NanoShape(width=768, layers=13, heads=12),
    chat={
        "vocab_size": 151_936,
        "hidden_size": 2048,
        "intermediate_size": 11_008,
        "num_hidden_layers": 36,
        "num_attention_heads": 16,
        "num_key_value_heads": 2,
        "max_position_embeddings": 32_768,
    },
    small=Load(batch=512, steps=20, prompts=64, group=8, completion=64, users=200),
    large=Load(batch=8, steps=12, prompts=8, group=8, completion=128, users=8),
    overrides=(),
    training=(),
    pretrain={"worlds": 24, "questions": 2000, "batch_size": 256, "lr": 6e-4},
)
_FEW = Load(batch=2, steps=3, prompts=2, group=2, completion=4, users=2)
TINY = Sizes(
    scale=1e-3,
    dtype="float32",
    shape=NanoShape(width=16, layers=1, heads=2),
    chat={
        "vocab_size": 800,
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 2048,
    },
    small=_FEW,
    large=_FEW,
    overrides=(
        "data={use: synthetic, users: 40, items: 40, interactions: 10}",
        "candidates.n=3",
        "chains.n=1",
        "prompts.history=1",
    ),
    training=(
        "candidates.users=4",
        "queries.n=32",
        "stages=[{use: sft, batch_size: 16}, {use: grpo, steps: 1, prompts: 2, group: 2, max_completion: 8}]",
        "ranker.max_thought_tokens=8",
        "metrics=[hr]",
        "baselines=[popularity]",
    ),
    pretrain={"worlds": 1, "questions": 16, "batch_size": 16, "lr": 6e-4},
)


def write_nano(folder: Path, sizes: Sizes) -> None:
    """The from-scratch model with random weights into the empty `folder`."""
    cast("Any", new_model(sizes.shape, seed=0)).to(_dtype(sizes)).save_pretrained(folder)
    new_tokenizer().save_pretrained(folder)


def write_chat(folder: Path, sizes: Sizes, texts: Iterable[str]) -> None:
    """Random weights in the shape of Qwen2 into the empty `folder`, and a tokenizer that has learnt from `texts`."""
    import torch
    from transformers import AutoModelForCausalLM, Qwen2Config

    tokenizer = chat_tokenizer(texts, min(sizes.chat["vocab_size"], 8_000))
    tokenizer.save_pretrained(folder)
    shape = Qwen2Config(
        **sizes.chat,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=cast("int", tokenizer.eos_token_id),
        pad_token_id=cast("int", tokenizer.pad_token_id),
    )
    torch.manual_seed(0)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = AutoModelForCausalLM.from_config(shape, dtype=_dtype(sizes))
    model.save_pretrained(folder)


def _dtype(sizes: Sizes) -> torch.dtype:
    import torch

    return torch.bfloat16 if sizes.dtype == "bfloat16" else torch.float32
