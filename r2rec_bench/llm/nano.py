"""The embedded backbone: a from-scratch causal LM that fits in the package and trains on a laptop.

It stands in for a real LLM so that the whole method runs anywhere. It knows the compact wording and nothing else: it
has read chains of synthetic worlds (see `r2rec pretrain`), no natural language and no real data set.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from r2rec_bench.core.config import Config
from r2rec_bench.core.errors import InputError
from r2rec_bench.llm.base import Backbone, Checkpoint, backbones
from r2rec_bench.prompts.compact import Compact, vocabulary

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

PAD, BEGIN, END, UNKNOWN = "<pad>", "<s>", "</s>", "<unk>"
WEIGHTS = Path(__file__).parent / "weights" / "nano"
_READ = ("chat_template.jinja", "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
"""Files of that folder that make the model what it is; others tell how it was made."""
_TEMPLATE = "{% for message in messages %}" + BEGIN + " {{ message['content'] }} {% endfor %}"


class NanoConfig(Config):
    """Which nano."""

    weights: Path | None = None
    """Another folder with nano weights, as `r2rec pretrain` writes it; none for those in the package."""


@backbones.register("nano")
class Nano(Backbone):
    """A small from-scratch Llama that reads the compact wording: a stand-in for a real LLM, called what it is."""

    config: NanoConfig
    wording = Compact.name

    def checkpoint(self) -> Checkpoint:
        folder = self.config.weights or WEIGHTS
        if not (folder / "model.safetensors").is_file():
            raise InputError(f"{folder}: no nano weights (model.safetensors); make them with `r2rec pretrain {folder}`")
        return Checkpoint(folder)

    def identity(self) -> str:
        digest = hashlib.sha256()
        for file in (self.checkpoint().path / name for name in _READ):
            digest.update(file.read_bytes() if file.is_file() else b"")  # some keep the template in the configuration
        return digest.hexdigest()


class NanoShape(Config):
    """Architecture of a nano model (Llama: RMSNorm, rotary positions, gated MLP, tied embeddings)."""

    width: Annotated[int, Field(ge=8, le=4096)] = 64
    layers: Annotated[int, Field(ge=1, le=64)] = 2
    heads: Annotated[int, Field(ge=1, le=64)] = 4
    positions: Annotated[int, Field(ge=64, le=8192)] = 1024


def new_model(shape: NanoShape, seed: int) -> LlamaForCausalLM:
    """A nano model with random weights, float32, about 0.12 M parameters at the default shape."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    ids = new_tokenizer().get_vocab()
    torch.manual_seed(seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(ids),
            hidden_size=shape.width,
            intermediate_size=3 * shape.width,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.heads,
            max_position_embeddings=shape.positions,
            tie_word_embeddings=True,
            bos_token_id=ids[BEGIN],
            eos_token_id=ids[END],
            pad_token_id=ids[PAD],
        )
    )


def new_tokenizer() -> PreTrainedTokenizerFast:
    """One token per word of the compact wording; anything else is unknown."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from transformers import PreTrainedTokenizerFast

    # Control tokens are no words: read as text they are unknown, and no content can end a turn.
    core = Tokenizer(WordLevel({word: k for k, word in enumerate([UNKNOWN, *vocabulary()])}, unk_token=UNKNOWN))
    core.pre_tokenizer = WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token=PAD,
        bos_token=BEGIN,
        eos_token=END,
        unk_token=UNKNOWN,
        chat_template=_TEMPLATE,
        clean_up_tokenization_spaces=False,
    )
