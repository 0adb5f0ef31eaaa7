"""Any causal language model with a chat template, from a folder or from the Hugging Face hub."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

from r2rec_bench.core.config import Config
from r2rec_bench.core.errors import InputError
from r2rec_bench.llm.base import Backbone, Checkpoint, LoadOptions, Lora, backbones
from r2rec_bench.prompts.verbose import Verbose


class HfConfig(Config):
    """Which model, and how it is loaded and adapted."""

    path: str
    """A folder, or a hub id such as `Qwen/Qwen2.5-0.5B-Instruct`."""
    revision: str = "main"
    dtype: Literal["float32", "bfloat16", "float16", "auto"] = "auto"
    attention: Literal["sdpa", "eager", "flash_attention_2", "flash_attention_3"] = "sdpa"
    adapter: Lora | None = Lora()
    """Adapters to train; `null` trains all weights."""
    trust_remote_code: bool = False


@backbones.register("hf")
class HuggingFace(Backbone):
    """A pretrained chat model: `hf:<folder or hub id>`.

    Source: transformers (arXiv 1910.03771).
    """

    config: HfConfig
    wording = Verbose.name

    def checkpoint(self) -> Checkpoint:
        local = Path(self.config.path).expanduser()
        if local.is_dir():
            if not (local / "config.json").is_file():
                raise InputError(f"{local}: no config.json; expected a Hugging Face model folder")
            return Checkpoint(_with_safetensors(local))
        return Checkpoint(_with_safetensors(self._from_hub()))

    def identity(self) -> str:
        folder = self.checkpoint().path
        if not Path(self.config.path).expanduser().is_dir():
            return f"{self.config.path}@{folder.name}"  # the hub's cache folder is named after the commit
        digest = hashlib.sha256()
        for file in sorted(folder.iterdir()):
            if file.suffix in {".json", ".safetensors", ".jinja", ".model", ".txt"}:
                digest.update(file.name.encode())
                with file.open("rb") as stream:
                    digest.update(hashlib.file_digest(stream, "sha256").digest())
        return digest.hexdigest()

    def load_options(self) -> LoadOptions:
        return LoadOptions(self.config.dtype, self.config.attention, self.config.trust_remote_code)

    def lora(self) -> Lora | None:
        return self.config.adapter

    def _from_hub(self) -> Path:
        from huggingface_hub import snapshot_download

        patterns = ["*.json", "*.safetensors", "*.jinja", "*.model", "*.txt"]
        try:
            return Path(snapshot_download(self.config.path, revision=self.config.revision, allow_patterns=patterns))
        except Exception as error:  # the hub client raises its own, its HTTP library's and OS errors
            raise InputError(
                f"backbone hf:{self.config.path}: no such folder, and the hub did not give it ({error}). "
                "Give a folder with config.json, model.safetensors and a tokenizer, or check the id and the network."
            ) from error


def _with_safetensors(folder: Path) -> Path:
    """`folder`, whose weights are in safetensors.

    Raises:
        InputError: they are not; pickled ones can run code when they are opened, and never are.
    """
    if not any(folder.glob("*.safetensors")):
        pickled = sorted(file.name for file in folder.glob("*.bin")) + sorted(
            file.name for file in folder.glob("*.pt*")
        )
        found = f"; found {', '.join(pickled)}, pickled weights, which are never opened" if pickled else ""
        raise InputError(
            f"{folder}: no *.safetensors{found}. Have whoever made them save them with safe_serialization, or convert "
            "them where you trust them"
        )
    return folder
