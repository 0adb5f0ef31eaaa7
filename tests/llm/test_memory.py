"""Every fast path says what one plain pass over each whole text says, for the architectures that have it."""

import random
from collections.abc import Callable

import numpy as np
import pytest
import torch
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    MambaConfig,
    MambaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from r2rec_bench.llm.memory import Memory, read, remembers
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.llm.nano import NanoShape, new_model, new_tokenizer
from r2rec_bench.prompts.compact import vocabulary
from r2rec_bench.prompts.wording import THINK_CLOSE

OUTCOMES = [f"={value}" for value in range(6)]
TOKENIZER = new_tokenizer()
TOLERANCE = 1e-4
"""Of log-probabilities in float32."""


def shape(**more) -> dict:
    ids = {"bos_token_id": 1, "eos_token_id": TOKENIZER.eos_token_id, "pad_token_id": TOKENIZER.pad_token_id}
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    return ids | sizes | {"vocab_size": len(TOKENIZER), "num_key_value_heads": 2} | more


MODELS: dict[str, Callable[[], PreTrainedModel]] = {
    "nano": lambda: new_model(NanoShape(width=16, layers=1), seed=0),
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**shape())),
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**shape())),
    "eager": lambda: LlamaForCausalLM(LlamaConfig(**shape(), attn_implementation="eager")),
}
OTHERS: dict[str, Callable[[], PreTrainedModel]] = {
    "sliding": lambda: MistralForCausalLM(MistralConfig(**shape(sliding_window=8))),
    "recurrent": lambda: MambaForCausalLM(
        MambaConfig(vocab_size=len(TOKENIZER), hidden_size=16, num_hidden_layers=1, state_size=4)
    ),
}


def loaded(make: Callable[[], PreTrainedModel], **settings) -> LanguageModel:
    torch.manual_seed(0)
    model = make()
    for weight in model.parameters():  # of a fresh model all tokens are about equally likely, after any text
        weight.data.mul_(3)
    return LanguageModel(model, TOKENIZER, **settings)


@pytest.fixture(scope="module", params=MODELS)
def model(request) -> LanguageModel:
    return loaded(MODELS[request.param])


def candidates(users: int = 3, each: int = 5, shared: int = 30) -> list[list[int]]:
    """Prompts of some users, who have a history each, about some candidates."""
    draw = random.Random(0)
    words = [word for word in vocabulary() if not word.startswith(("<", "="))]

    def said(n: int) -> list[int]:
        return TOKENIZER.convert_tokens_to_ids(draw.choices(words, k=n))

    return [
        history + said(draw.randrange(1, 9)) for history in (said(shared) for _ in range(users)) for _ in range(each)
    ]


def plain(model: LanguageModel, ids: list[int]) -> np.ndarray:
    """Log-probabilities of all tokens after one text, read alone and whole."""
    with torch.inference_mode():
        return model.model(torch.tensor([ids]), use_cache=False).logits[0, -1].log_softmax(-1).double().numpy()


def outcomes(log_p: np.ndarray) -> np.ndarray:
    return log_p[TOKENIZER.convert_tokens_to_ids(OUTCOMES)]


def written_alone(model: LanguageModel, ids: list[int], most: int) -> list[int]:
    """The likeliest tokens, one plain pass for each, without the end of turn."""
    written: list[int] = []
    while len(written) < most:
        written.append(int(plain(model, ids + written).argmax()))
        if written[-1] == TOKENIZER.eos_token_id:
            return written[:-1]
        if written[-1] == TOKENIZER.convert_tokens_to_ids(THINK_CLOSE):
            break
    return written


def read_tokens(model: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many tokens each pass of `model` reads from now on, padding included."""
    forward, passes = model.model.forward, []

    def counted(**settings):
        passes.append(settings["input_ids"].numel())
        return forward(**settings)

    monkeypatch.setattr(model.model, "forward", counted)
    return passes


@pytest.mark.parametrize("batch_tokens", [1, 150, 65_536])
def test_scores_after_a_shared_beginning_are_those_of_plain_passes(model, batch_tokens):
    assert model.remembers
    ids = candidates()
    expected = np.array([outcomes(plain(model, one)) for one in ids])
    order = random.Random(1).sample(range(len(ids)), len(ids))
    other = LanguageModel(model.model, TOKENIZER, batch_tokens)
    scored = other.outcome_scores([ids[row] for row in order], OUTCOMES)
    np.testing.assert_allclose(scored.log_probabilities, expected[order], atol=TOLERANCE)


def test_a_shared_beginning_is_read_once(model, monkeypatch):
    ids = candidates(users=2, each=20, shared=100)
    passes = read_tokens(model, monkeypatch)
    model.outcome_scores(ids, OUTCOMES)
    assert len(passes) == 2
    assert sum(passes) <= 2 * (100 + 9) + 2 * 20 * 9


def test_what_shares_little_is_read_in_one_pass(model, monkeypatch):
    passes = read_tokens(model, monkeypatch)
    model.outcome_scores(candidates(users=6, each=1), OUTCOMES)
    assert len(passes) == 1


@pytest.mark.parametrize("batch_tokens", [1, 400, 65_536])
def test_answers_are_those_of_texts_read_again_from_the_start(model, batch_tokens):
    ids = candidates() + candidates(users=4, each=1, shared=12)
    other = LanguageModel(model.model, TOKENIZER, batch_tokens)
    answered = other.answer(ids, THINK_CLOSE, 6, lambda thought: f"{thought} {THINK_CLOSE} <answer>", OUTCOMES)
    for one, thought, scores in zip(ids, answered.thoughts, answered.scores.log_probabilities, strict=True):
        assert [thought] == model.decode([written_alone(model, one, 6)])
        lead = model.encode_texts([f"{thought} {THINK_CLOSE} <answer>"])[0]
        np.testing.assert_allclose(scores, outcomes(plain(model, one + lead)), atol=TOLERANCE)
    assert answered.tokens == sum(len(model.encode_texts([f"{one} <answer>"])[0]) + 1 for one in answered.thoughts)


def test_a_lead_that_rewrites_the_thoughts_is_what_is_read(model):
    ids = candidates(users=2, each=3)
    answered = model.answer(ids, THINK_CLOSE, 5, lambda thought: "r5 r4 <answer>", OUTCOMES)
    lead = model.encode_texts(["r5 r4 <answer>"])[0]
    expected = [outcomes(plain(model, one + lead)) for one in ids]
    np.testing.assert_allclose(answered.scores.log_probabilities, expected, atol=TOLERANCE)


def test_texts_of_many_lengths_leave_the_batch_as_they_end(monkeypatch):
    """A prompt of 20 + k tokens is continued by k words and the stop: the last ones have the batch to themselves."""
    model = loaded(MODELS["llama"])
    stop, word = TOKENIZER.convert_tokens_to_ids([THINK_CLOSE, "r5"])
    ids = [one[:20] + [10] * k for k, one in enumerate(candidates(users=8, each=1), 1)]
    forward, passes = model.model.forward, []

    def dictated(**settings):
        out = forward(**settings)
        passes.append(len(settings["input_ids"]))
        read = settings["attention_mask"].sum(-1)
        out.logits[:] = -100.0
        for row, length in enumerate(read.tolist()):
            out.logits[row, -1, stop if length >= 20 + 2 * sizes[row] else word] = 0.0
        return out

    sizes, select = list(range(1, 9)), Memory.select

    def selected(memory: Memory, rows: torch.Tensor) -> Memory:
        sizes[:] = [sizes[row] for row in rows.tolist()]
        return select(memory, rows)

    monkeypatch.setattr(Memory, "select", selected)
    monkeypatch.setattr(model.model, "forward", dictated)
    assert model.generate(ids, THINK_CLOSE, 20) == [[word] * k + [stop] for k in range(1, 9)]
    assert passes[0] == 8
    assert passes == sorted(passes, reverse=True)
    assert passes[-1] <= 3


@pytest.mark.parametrize("kind", OTHERS)
def test_models_that_keep_something_else_read_every_text_anew(kind):
    model = loaded(OTHERS[kind])
    assert not model.remembers
    ids = [one[:12] for one in candidates(users=1, each=3, shared=10)]
    whole = model.generate(ids, THINK_CLOSE, 4)
    for one, written in zip(ids, whole, strict=True):
        assert written == written_alone(model, one, 4)


def test_code_that_comes_with_a_checkpoint_is_left_to_itself():
    class Own(LlamaForCausalLM):
        pass

    assert not remembers(Own(LlamaConfig(**shape())))


def test_a_memory_selected_from_another_goes_on_by_itself(model):
    ids = candidates(users=2, each=1)
    with torch.inference_mode():
        memory, _ = read(model.model, ids)
        twice = memory.select(torch.tensor([1, 0, 1]))
        first = twice.read([[7], [8, 9], [10]])
        again = memory.read([[8, 9], [7]])
    for logits, text in zip(first, [[*ids[1], 7], [*ids[0], 8, 9], [*ids[1], 10]], strict=True):
        np.testing.assert_allclose(logits.log_softmax(-1).numpy(), plain(model, text), atol=TOLERANCE)
    np.testing.assert_allclose(again[1].log_softmax(-1).numpy(), plain(model, [*ids[1], 7]), atol=TOLERANCE)


def test_what_is_forgotten_counts_no_more(model):
    ids = candidates(users=3, each=1)
    with torch.inference_mode():
        memory, _ = read(model.model, ids)
        begun = memory.columns
        for tokens in ([4, 5, 6], [7, 8, 9]):
            memory.step(torch.tensor(tokens), torch.ones(3, dtype=torch.bool))
        memory.forget(torch.tensor([2, 1, 0]), begun)
        logits = memory.read([[20]] * 3)
    for row, kept in enumerate([[4, 7], [5], []]):
        expected = plain(model, [*ids[row], *kept, 20])
        np.testing.assert_allclose(logits[row].log_softmax(-1).numpy(), expected, atol=TOLERANCE)
