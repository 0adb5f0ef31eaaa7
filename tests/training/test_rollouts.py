"""Completions that are written here are, draw for draw, those of transformers' own generation."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import GenerationConfig

from r2rec_bench.llm.nano import NanoShape, new_model, new_tokenizer
from r2rec_bench.training.trl import reinforced

MOST = 12


@pytest.fixture(scope="module")
def model():
    made = new_model(NanoShape(width=16, layers=1), seed=0)
    with torch.no_grad():
        made.model.embed_tokens.weight.mul_(20)  # of a fresh model all tokens are about equally likely
    return made


def trainer(model, temperature: float, ends: list[int]) -> Any:
    """What is read of TRL's trainer where completions are written."""
    return SimpleNamespace(
        accelerator=SimpleNamespace(device=torch.device("cpu"), unwrap_model=lambda one, **_: one),
        args=SimpleNamespace(temperature=temperature, max_completion_length=MOST, gradient_checkpointing_kwargs=None),
        eos_token_ids=ends,
        generation_config=GenerationConfig(
            max_new_tokens=MOST,
            do_sample=True,
            temperature=temperature,
            top_k=0,
            eos_token_id=ends,
            pad_token_id=new_tokenizer().pad_token_id,
            remove_invalid_values=True,
        ),
    )


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_the_same_seed_draws_the_same_completions(model, temperature):
    prompts = [[7 + k, 8, 9, *range(20, 20 + k)] for k in range(4) for _ in range(6)]
    one = trainer(model, temperature, list(range(0, 277, 9)))  # a ninth of all tokens ends a completion
    torch.manual_seed(3)
    with torch.no_grad():
        expected = reinforced._generated(one, model, prompts)
    after = torch.random.get_rng_state()
    torch.manual_seed(3)
    with torch.no_grad():
        written = reinforced.sampled(model, prompts, one.eos_token_ids, temperature, MOST)
    assert written == expected
    assert torch.equal(torch.random.get_rng_state(), after)
    assert len({len(ids) for ids in written}) > 3
    assert len({tuple(ids) for ids in written[:6]}) > 1


def test_a_broken_model_still_writes(model):
    broken = new_model(NanoShape(width=16, layers=1), seed=0)
    broken.model.embed_tokens.weight.data.fill_(torch.nan)
    with torch.no_grad():
        written = reinforced.sampled(broken, [[5, 6]] * 3, [1], 1.0, MOST)
    assert all(1 <= len(ids) <= MOST for ids in written)
