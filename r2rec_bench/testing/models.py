"""Language models with random weights, small enough to train while one waits; they are made once per process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from string import ascii_uppercase
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from r2rec_bench.llm.base import Backbone, Checkpoint
from r2rec_bench.llm.hf import HfConfig, HuggingFace
from r2rec_bench.llm.nano import Nano, NanoConfig, NanoShape, new_model, new_tokenizer
from r2rec_bench.prompts.wording import ANSWER_CLOSE, ANSWER_OPEN, THINK_CLOSE, THINK_OPEN
from r2rec_bench.testing.randomness import untouched

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

_CHAT = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_TEXTS = (
    'The user rated "Alien (1979)" 5, 3 steps ago. Of 310 others, 120 also rated "Aliens (1986)".',
    *[f" {letter}" for letter in ascii_uppercase],  # lists are answered by letter
    f"{THINK_OPEN}\nStep 1. They rated it 4.2. Weight: for. Forecast: 4.\n{THINK_CLOSE}\n{ANSWER_OPEN}4{ANSWER_CLOSE}",
)
_KEPT: list[TemporaryDirectory[str]] = []
"""Folders that live as long as the process."""


@cache
def small_nano() -> Checkpoint:
    """One layer of width 32 that reads the compact wording."""
    folder = _folder()
    with untouched():
        new_model(NanoShape(width=32, layers=1, heads=2), seed=0).save_pretrained(folder)
        new_tokenizer().save_pretrained(folder)
    return Checkpoint(folder)


@cache
def small_chat() -> Checkpoint:
    """One layer of width 32 in the shape of Qwen2, with bytes for tokens and a chat template."""
    return write_chat(_folder(), _TEXTS, vocabulary=400, layers=1, heads=2, positions=4096)


def write_chat(
    folder: Path, texts: Sequence[str], *, vocabulary: int, layers: int, heads: int, positions: int
) -> Checkpoint:
    """A chat model with random weights, the same each time, and a tokenizer that has learnt from `texts`.

    Args:
        folder: where to.
        texts: what the byte-level tokenizer learns its merges from.
        vocabulary: its tokens at most, all bytes included.
        layers: of width 32.
        heads: of attention.
        positions: longest context, in tokens.
    """
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    tokenizer = chat_tokenizer(texts, vocabulary)
    pad, _, end = _SPECIAL
    shape = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=2,
        max_position_embeddings=positions,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=_SPECIAL.index(end),
        pad_token_id=_SPECIAL.index(pad),
    )
    with untouched():
        torch.manual_seed(0)
        Qwen2ForCausalLM(shape).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return Checkpoint(folder)


def chat_tokenizer(texts: Iterable[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """A byte-level tokenizer that has learnt from `texts`, with a chat template and its control tokens.

    Args:
        texts: what it learns its merges from.
        vocabulary: its tokens at most, all bytes included.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(_SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(texts, trainer)
    pad, _, end = _SPECIAL
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        eos_token=end,
        pad_token=pad,
        chat_template=_CHAT,
        clean_up_tokenization_spaces=False,
    )


def small_backbones() -> tuple[Backbone, Backbone]:
    """Both as backbones, the nano first: it trains all its weights, the other an adapter."""
    return Nano(NanoConfig(weights=small_nano().path)), HuggingFace(HfConfig(path=str(small_chat().path)))


def _folder() -> Path:
    _KEPT.append(TemporaryDirectory(prefix="r2rec-check-"))
    return Path(_KEPT[-1].name)
