"""Seeded sampling: the right shares, draws that belong to a prompt, and greedy search left as it was."""

import random
from collections import Counter

import numpy as np
import pytest
import torch

from r2rec_bench.core.texts import Prompt
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.llm.nano import NanoShape, new_model, new_tokenizer
from r2rec_bench.llm.sampling import Sampling
from r2rec_bench.prompts.wording import THINK_CLOSE

SAMPLING = Sampling(temperature=1.0, seed=3)


@pytest.fixture(scope="module")
def nano() -> LanguageModel:
    return LanguageModel(new_model(NanoShape(width=16, layers=1), seed=0), new_tokenizer())


def some_ids(nano: LanguageModel, n: int) -> list[list[int]]:
    """Different prompts of many lengths."""
    pieces = [tuple(f"#{k} r{1 + row % 5}" for k in range(1, 2 + row % 7)) for row in range(n)]
    return nano.encode(
        [Prompt("", f"n{row}", piece, "[MASK] rate think", "[MASK]", 0, 0) for row, piece in enumerate(pieces)]
    )


def write(nano: LanguageModel, ids: list[list[int]], sampling: Sampling | None = SAMPLING) -> list[list[int]]:
    return nano.generate(ids, THINK_CLOSE, 8, sampling=sampling)


@pytest.mark.parametrize("batch_tokens", [1, 60, 65_536])
def test_a_draw_depends_on_its_prompt_and_the_seed_alone(nano, batch_tokens):
    ids = some_ids(nano, 12)
    whole = write(nano, ids)
    order = random.Random(1).sample(range(12), 12)
    other = LanguageModel(nano.model, nano.tokenizer, batch_tokens)
    torch.manual_seed(batch_tokens)
    assert write(other, [ids[row] for row in order]) == [whole[row] for row in order]
    assert write(other, ids[5:7]) == whole[5:7]
    assert write(nano, ids, Sampling(1.0, seed=4)) != whole


def test_without_sampling_nothing_is_drawn(nano):
    ids = some_ids(nano, 6)
    greedy = write(nano, ids, None)
    assert write(nano, ids, Sampling(1e-6, seed=0)) == greedy
    assert write(nano, ids) != greedy


def test_sampling_leaves_the_random_state_of_torch_alone(nano):
    before = torch.random.get_rng_state()
    write(nano, some_ids(nano, 2))
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_tokens_come_in_their_shares(temperature):
    """Chi-square over 6,000 draws, critical value at p = 1e-4 with three degrees of freedom."""
    logits = torch.tensor([1.0, 0.0, -torch.inf, 2.0, 0.5])
    prompts, begun = [[k] for k in range(6_000)], 1
    draw = Sampling(temperature, seed=0).processor(prompts, 1, begun)
    scores = draw(torch.zeros(len(prompts), 1), logits.expand(len(prompts), -1))
    counts = Counter(scores.argmax(-1).tolist())
    assert torch.isfinite(scores).sum(-1).eq(1).all()
    expected = len(prompts) * (logits / temperature).softmax(0).numpy()
    assert counts[2] == 0
    drawn = np.array([counts[token] for token in (0, 1, 3, 4)])
    assert ((drawn - expected[[0, 1, 3, 4]]) ** 2 / expected[[0, 1, 3, 4]]).sum() < 21.1


def test_every_token_of_a_text_has_a_number_of_its_own():
    draw = Sampling(1.0, seed=0).processor([[7]], 50, begun=1)
    flat = torch.zeros(1, 1_000)
    tokens = [int(draw(torch.zeros(1, 1 + step), flat).argmax()) for step in range(50)]
    assert len(set(tokens)) > 40
