"""What a backbone is: an untrained checkpoint, and how checkpoints grown from it are loaded and adapted."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from r2rec_bench.core.config import Config, Tune
from r2rec_bench.core.registry import Component, Registry

_ADAPTER = "adapter"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model on disk: a plain Hugging Face folder (config, safetensors, tokenizer), adapters already merged.

    Attributes:
        path: the folder.
        base: the model that the adapter beside the weights sits on, itself such a folder; needed only to train that
            adapter on.
    """

    path: Path
    base: Path | None = None

    @property
    def adapter(self) -> Path | None:
        """The adapter that was trained last, apart from its base (PEFT: config and safetensors); None without one."""
        folder = self.path / _ADAPTER
        return folder if folder.is_dir() else None

    def keep_adapter(self) -> Path:
        """A new empty folder for the adapter of this checkpoint."""
        folder = self.path / _ADAPTER
        folder.mkdir()
        return folder


class Lora(Config):
    """Low-rank adapters instead of full fine-tuning.

    Source: LoRA (arXiv 2106.09685); rank and alpha as common for recommenders on TRL.
    """

    rank: Annotated[int, Field(ge=1, le=1024), Tune(4, 64, log=True)] = 16
    alpha: Annotated[int, Field(ge=1, le=4096)] = 32
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    target_modules: str = "all-linear"


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How a checkpoint becomes a model in memory.

    Attributes:
        dtype: of the weights in memory; `auto` as saved.
        attention: transformers' attention implementation.
        trust_remote_code: whether code that comes with the checkpoint may run.
    """

    dtype: Literal["float32", "bfloat16", "float16", "auto"] = "float32"
    attention: str = "sdpa"
    trust_remote_code: bool = False


class Backbone(Component):
    """A causal language model before any training on the domain: the "original LLM" of the tables."""

    wording: ClassVar[str]
    """The wording it understands when a strategy says `auto`."""

    @abstractmethod
    def checkpoint(self) -> Checkpoint:
        """The untrained checkpoint.

        Raises:
            InputError: it cannot be found, or is no causal language model with a chat template.
        """

    @abstractmethod
    def identity(self) -> str:
        """What makes two untrained checkpoints the same: a digest of the weights, or a repository's revision."""

    def load_options(self) -> LoadOptions:
        """How its checkpoints become models in memory."""
        return LoadOptions()

    def lora(self) -> Lora | None:
        """The adapters to train, or None for all weights."""
        return None


backbones: Registry[Backbone] = Registry("backbones", "backbone", Backbone, "r2rec_bench.llm")
