"""Low-rank adapters from one stage to the next: opened again on their base, and kept beside the merged weights."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from r2rec_bench.core.errors import InputError
from r2rec_bench.llm.base import Checkpoint, LoadOptions, Lora
from r2rec_bench.llm.loading import load_model

if TYPE_CHECKING:
    from peft import LoraConfig, PeftModel
    from transformers import PreTrainedModel

_TRAINED, _FROZEN = "default", "ref"
"""PEFT's name for the adapter trained, and TRL's for the copy of it that is the reference."""


def new_adapter(lora: Lora) -> LoraConfig:
    """What PEFT is told of an adapter that starts from nothing."""
    from peft import LoraConfig

    return LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.target_modules,
        task_type="CAUSAL_LM",
    )


def reopened(start: Checkpoint, options: LoadOptions) -> PreTrainedModel:
    """The base of `start` with its adapter on top, to be trained on.

    Raises:
        InputError: it is not known what the adapter sits on.
    """
    from peft import PeftModel

    if start.adapter is None or start.base is None:
        raise InputError(
            f"{start.path}: no adapter with a known base; only a checkpoint that has both can be continued"
        )
    base = load_model(Checkpoint(start.base), options)
    return cast("PreTrainedModel", PeftModel.from_pretrained(base, start.adapter, is_trainable=True))


def kept_and_merged(model: PeftModel, out: Checkpoint) -> PreTrainedModel:
    """Write the trained adapter beside the weights to come, and merge it into them.

    The adapter keeps the precision that it was trained in, and nothing in its folder names a place on this machine.
    """
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    if _FROZEN in model.peft_config:
        model.delete_adapter(_FROZEN)
    folder = out.keep_adapter()
    # Without its embeddings, for which PEFT would look at the hub: no adapter of ours resizes them.
    state = get_peft_model_state_dict(model, adapter_name=_TRAINED, save_embedding_layers=False)
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, folder / "adapter_model.safetensors")
    settings: dict[str, Any] = model.peft_config[_TRAINED].to_dict() | {"base_model_name_or_path": None}
    text = json.dumps(settings, indent=2, sort_keys=True, default=sorted)  # sets, whose order is not the same twice
    (folder / "adapter_config.json").write_text(text + "\n", encoding="utf-8")
    return cast("PreTrainedModel", cast("Any", model).merge_and_unload())
