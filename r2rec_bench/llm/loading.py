"""Checkpoints read from disk, and what libraries say of those that they do not take."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from r2rec_bench.core.errors import InputError
from r2rec_bench.llm.base import Checkpoint, LoadOptions

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def load_model(checkpoint: Checkpoint, options: LoadOptions) -> PreTrainedModel:
    """The weights of `checkpoint`, from safetensors only, on the GPU if there is one.

    Raises:
        InputError: they cannot be read, or want code of their own and may not run it.
    """
    import torch
    from transformers import AutoModelForCausalLM

    with _named(checkpoint):
        model = AutoModelForCausalLM.from_pretrained(
            checkpoint.path,
            dtype=options.dtype if options.dtype == "auto" else getattr(torch, options.dtype),
            attn_implementation=options.attention,
            trust_remote_code=options.trust_remote_code,
            use_safetensors=True,
        )
    return cast("Any", model).to("cuda" if torch.cuda.is_available() else "cpu")


def load_tokenizer(checkpoint: Checkpoint, options: LoadOptions) -> PreTrainedTokenizerBase:
    """The tokenizer of `checkpoint`.

    Raises:
        InputError: as `load_model`.
    """
    from transformers import AutoTokenizer

    with _named(checkpoint):
        return AutoTokenizer.from_pretrained(checkpoint.path, trust_remote_code=options.trust_remote_code)


def length(tokenizer: PreTrainedTokenizerBase, text: str) -> int:
    """Length of `text` in tokens, special ones not added."""
    return len(tokenizer(text, add_special_tokens=False)["input_ids"]) if text else 0


@contextmanager
def _named(checkpoint: Checkpoint) -> Generator[None]:
    """Says of which folder it is what libraries say of a checkpoint that they do not take."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, SafetensorError) as error:
        raise InputError(f"{checkpoint.path}: cannot be loaded: {error}") from error
