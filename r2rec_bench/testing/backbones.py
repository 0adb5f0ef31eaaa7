"""What every backbone promises."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from r2rec_bench.llm.base import Backbone, LoadOptions, Lora
from r2rec_bench.prompts.progressive_mask import ProgressiveMask
from r2rec_bench.prompts.wordings import WORDINGS
from r2rec_bench.testing.comparing import folder_digest, require_same
from r2rec_bench.testing.contract import require
from r2rec_bench.testing.every import contract
from r2rec_bench.testing.questions import OUTCOMES, lessons

if TYPE_CHECKING:
    from r2rec_bench.llm.model import LanguageModel

CONTRACT = contract("backbones", Backbone, sourced=False)


@CONTRACT.rule
def checkpoint_is_a_plain_folder(backbone: Backbone) -> None:
    """The checkpoint is a Hugging Face folder with configuration, safetensors and tokenizer, and no adapter."""
    checkpoint = backbone.checkpoint()
    names = {path.name for path in checkpoint.path.iterdir()}
    for name in ("config.json", "tokenizer.json"):
        require(name in names or (name == "tokenizer.json" and "tokenizer.model" in names), sorted(names), name)
    require(any(name.endswith(".safetensors") for name in names), sorted(names), "weights as safetensors")
    require(checkpoint.adapter is None, f"{checkpoint.adapter}", "a checkpoint before any training")
    options, adapters = backbone.load_options(), backbone.lora()
    require(type(options) is LoadOptions, f"{options!r}", "LoadOptions")
    require(adapters is None or type(adapters) is Lora, f"{adapters!r}", "Lora, or None for all weights")


@CONTRACT.rule
def identity_is_stable(backbone: Backbone) -> None:
    """`identity` is a text, the same for the same weights, whether or not they have been loaded in between."""
    first = backbone.identity()
    _loaded(backbone)
    second = type(backbone)(backbone.config).identity()
    require(first and first == second, f"{first!r}, then {second!r}", "one identity")


@CONTRACT.rule
def answers_are_single_tokens(backbone: Backbone) -> None:
    """`wording` is one that there is, and each of its outcomes is a token of its own after `answer_open`."""
    require(backbone.wording in WORDINGS, f"wording {backbone.wording!r}", f"one of {', '.join(WORDINGS)}")
    wording, model = WORDINGS[backbone.wording], _loaded(backbone)
    ids = [model.encode_texts([wording.outcome(value)])[0] for value in OUTCOMES]
    require(all(len(one) == 1 for one in ids), f"outcomes of {[len(one) for one in ids]} tokens", "one token each")
    require(len({one[0] for one in ids}) == len(ids), f"tokens {ids}", "a token of its own for each outcome")
    [before] = model.encode_texts([wording.answer_open])
    for value, one in zip(OUTCOMES, ids, strict=True):
        [joined] = model.encode_texts([wording.before_answer("") + wording.close(wording.outcome(value))])
        inside = joined[: len(before) + 1] == [*before, *one]
        require(inside, f"{joined} for a completion", f"one that goes on from {before} with {one}")


@CONTRACT.rule
def prompts_are_understood(backbone: Backbone) -> None:
    """Prompts in its wording are encoded and scored, with log-probabilities that a batch does not change."""
    wording, model = WORDINGS[backbone.wording], _loaded(backbone)
    prompts = [lesson.prompt for lesson in lessons(ProgressiveMask(), wording)][:4]
    encoded = [
        prompt + text
        for prompt, text in zip(model.encode(prompts), model.encode_texts([wording.answer_open] * 4), strict=True)
    ]
    outcomes = [wording.outcome(value) for value in OUTCOMES]
    together = model.outcome_scores(encoded, outcomes).log_probabilities
    alone = np.concatenate([model.outcome_scores([one], outcomes).log_probabilities for one in encoded])
    require(np.isfinite(together).all() and (together <= 0).all(), f"{together[0]}", "log-probabilities")
    require(np.allclose(together, alone, atol=1e-2), f"{together[0]} in a batch, {alone[0]} alone", "the same")


@CONTRACT.rule
def the_folder_is_left_as_it_was(backbone: Backbone) -> None:
    """Loading and asking write nothing into the checkpoint's folder."""
    folder = backbone.checkpoint().path
    before = folder_digest(folder)
    prompts_are_understood(type(backbone)(backbone.config))
    require_same(folder_digest(folder), before, "after loading", "every byte as it was")


@cache
def _loaded(backbone: Backbone) -> LanguageModel:
    from r2rec_bench.llm.model import LanguageModel

    return LanguageModel.load(backbone.checkpoint(), backbone.load_options())
