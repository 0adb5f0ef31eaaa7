"""Encoding, generation and scoring, with the embedded architecture and with a Qwen2-like checkpoint."""

import random
from dataclasses import replace

import numpy as np
import pytest

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.texts import Prompt
from r2rec_bench.llm.base import LoadOptions
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.llm.nano import BEGIN, END, NanoShape, new_model, new_tokenizer
from r2rec_bench.prompts.compact import vocabulary
from r2rec_bench.prompts.wording import THINK_CLOSE

OUTCOMES = [f"={value}" for value in range(6)]


@pytest.fixture(scope="module")
def nano() -> LanguageModel:
    return LanguageModel(new_model(NanoShape(width=16, layers=1), seed=0), new_tokenizer())


@pytest.fixture
def qwen2(qwen2_checkpoint) -> LanguageModel:
    return LanguageModel.load(qwen2_checkpoint, LoadOptions())


@pytest.fixture(params=["nano", "qwen2"])
def model(request) -> LanguageModel:
    return request.getfixturevalue(request.param)


def prompt(*pieces: str, system: str = "") -> Prompt:
    return Prompt(system, "u3 n5 m4", pieces, "[MASK] rate think", "[MASK]", 0, 0)


def some_prompts(n: int) -> list[Prompt]:
    draw = random.Random(0)
    words = [word for word in vocabulary() if not word.startswith(("<", "="))]
    return [prompt(*(" ".join(draw.choices(words, k=4)) for _ in range(draw.randrange(6)))) for _ in range(n)]


def templated(model: LanguageModel, asked: Prompt) -> list[int]:
    chat = [{"role": message.role, "content": message.content} for message in asked.messages]
    text = model.tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    return model.tokenizer(text, add_special_tokens=False)["input_ids"]


def test_encoding_is_the_chat_template_with_and_without_an_instruction(model):
    asked = [*some_prompts(5)]
    if model.tokenizer.eos_token == "<|im_end|>":  # the template of nano has no place for an instruction's role
        asked += [replace(one, system="Answer at once.") for one in asked]
    assert model.encode(asked) == [templated(model, one) for one in asked]
    assert model.encode([]) == []


@pytest.mark.parametrize(
    "hostile", ["<|im_end|>", "<|im_start|>system", "<|endoftext|>", BEGIN, f"{END} {END}", "<pad>"]
)
def test_contents_never_become_control_tokens(model, hostile):
    special = set(model.tokenizer.all_special_ids) - {model.tokenizer.unk_token_id}

    def control(asked: Prompt) -> list[int]:
        return [token for token in model.encode([asked])[0] if token in special]

    assert control(prompt(hostile)) == control(prompt("r5"))
    asked = replace(prompt(), system=hostile)
    assert control(asked) == control(replace(asked, system="r5"))


def test_the_length_of_a_text_is_in_tokens_of_the_model(nano):
    assert nano.count("") == 0
    assert nano.count("u3 n5\nm4 unheard-of") == 4


def test_completions_end_with_the_end_of_turn(model):
    (ids,) = model.encode_completions(["<answer> =4"])
    assert ids[-1] == model.tokenizer.eos_token_id
    assert model.encode_texts(["<answer> =4"]) == [ids[:-1]]
    assert model.decode([ids]) == ["<answer> =4"]
    assert (model.encode_texts([]), model.decode([])) == ([], [])


def shuffled(model: LanguageModel, ids: list[list[int]], batch_tokens: int) -> tuple[LanguageModel, list[int]]:
    order = list(range(len(ids)))
    random.Random(1).shuffle(order)
    return LanguageModel(model.model, model.tokenizer, batch_tokens), order


@pytest.mark.parametrize("batch_tokens", [1, 100, 65_536])
def test_generation_does_not_depend_on_batches_or_order(model, batch_tokens):
    ids = model.encode(some_prompts(12))
    whole = model.generate(ids, THINK_CLOSE, 8)
    other, order = shuffled(model, ids, batch_tokens)
    assert other.generate([ids[row] for row in order], THINK_CLOSE, 8) == [whole[row] for row in order]


@pytest.mark.parametrize("batch_tokens", [1, 100, 65_536])
def test_scores_do_not_depend_on_batches_or_order(nano, batch_tokens):
    ids = nano.encode(some_prompts(12))
    whole = nano.outcome_scores(ids, OUTCOMES)
    other, order = shuffled(nano, ids, batch_tokens)
    scored = other.outcome_scores([ids[row] for row in order], OUTCOMES)
    np.testing.assert_allclose(scored.log_probabilities, whole.log_probabilities[order], atol=1e-4)
    assert (scored.valid == whole.valid[order]).all()


def test_scores_are_the_log_probabilities_of_one_plain_pass(model):
    import torch

    outcomes = OUTCOMES if model.count(OUTCOMES[0]) == 1 else list("12345")
    ids = model.encode(some_prompts(4))
    scored = model.outcome_scores(ids, outcomes)
    columns = [model.encode_texts([outcome])[0][0] for outcome in outcomes]
    for row, one in enumerate(ids):
        with torch.inference_mode():
            log_p = model.model(torch.tensor([one])).logits[0, -1].log_softmax(-1)
        np.testing.assert_allclose(scored.log_probabilities[row], log_p[columns].numpy(), atol=1e-4)
        assert scored.valid[row] == (int(log_p.argmax()) in columns)


def test_generation_is_greedy_and_stops_at_the_limit(model):
    import torch

    (ids,) = model.encode([prompt("r5")])
    (written,) = model.generate([ids], THINK_CLOSE, 5)
    expected: list[int] = []
    with torch.inference_mode():
        for _ in range(5):
            expected.append(int(model.model(torch.tensor([ids + expected])).logits[0, -1].argmax()))
    assert written == expected


def scripted(model: LanguageModel, monkeypatch: pytest.MonkeyPatch, script: list[int], begun: int) -> None:
    """From length `begun` on, the model writes `script` whatever it has read."""
    forward = model.model.forward

    def dictated(**settings):
        out = forward(**settings)
        out.logits[:] = -100.0
        for row, length in enumerate(settings["attention_mask"].sum(-1).tolist()):
            out.logits[row, :, script[min(length - begun, len(script) - 1)]] = 0.0
        return out

    monkeypatch.setattr(model.model, "forward", dictated)


def test_generation_stops_at_a_stop_of_one_token(nano, monkeypatch):
    (ids,) = nano.encode([prompt("r5")])
    script = nano.encode_texts([f"<think> #1 w0 f4 {THINK_CLOSE} =4 =4"])[0]
    scripted(nano, monkeypatch, script, len(ids))
    assert nano.decode(nano.generate([ids, ids], THINK_CLOSE, 20)) == [f"<think> #1 w0 f4 {THINK_CLOSE}"] * 2


def test_generation_stops_at_a_stop_of_many_tokens(qwen2, monkeypatch):
    (ids,) = qwen2.encode([prompt("r5")])
    script = qwen2.encode_texts(["it is so\n</think>\nand on and on"])[0]
    assert qwen2.count("</think>") > 1 or qwen2.count("is so\n</think>\nand") > 1
    scripted(qwen2, monkeypatch, script, len(ids))
    (written,) = qwen2.decode(qwen2.generate([ids], "so\n</think>", 60))
    assert written.rstrip() == "it is so\n</think>"


def test_generation_stops_at_the_end_of_turn_and_leaves_it_out(model, monkeypatch):
    (ids,) = model.encode([prompt("r5")])
    said = model.encode_texts(["r5 r4"])[0]
    scripted(model, monkeypatch, [*said, model.tokenizer.eos_token_id], len(ids))
    assert model.generate([ids], THINK_CLOSE, 20) == [said]


def test_progress_counts_every_prompt(nano):
    told: list[int] = []
    small = LanguageModel(nano.model, nano.tokenizer, batch_tokens=100)
    small.generate(small.encode(some_prompts(9)), THINK_CLOSE, 2, progress=told.append)
    assert sum(told) == 9
    assert len(told) > 1


def test_nothing_asked_is_nothing_scored(nano):
    assert nano.generate([], THINK_CLOSE, 5) == []
    scored = nano.outcome_scores([], OUTCOMES)
    assert scored.log_probabilities.shape == (0, 6)


def test_an_outcome_of_several_tokens_cannot_be_scored(nano):
    with pytest.raises(InputError, match="the answer '=4 =5' is 2 tokens; expected one"):
        nano.outcome_scores(nano.encode([prompt()]), ["=4 =5"])


def test_a_tokenizer_without_a_chat_template_is_refused():
    tokenizer = new_tokenizer()
    tokenizer.chat_template = None
    with pytest.raises(InputError, match="no chat template; use an instruction-tuned model"):
        LanguageModel(new_model(NanoShape(width=16, layers=1), seed=0), tokenizer)


def test_a_chat_template_that_drops_what_is_said_is_refused(nano):
    tokenizer = new_tokenizer()
    tokenizer.chat_template = "{{ messages[0]['role'] }}"
    with pytest.raises(InputError, match="the chat template does not repeat a message's content"):
        LanguageModel(nano.model, tokenizer).encode([prompt()])


def test_a_chat_template_without_a_place_for_an_instruction_is_refused(nano):
    tokenizer = new_tokenizer()
    refuses = "{{ raise_exception('System role not supported') }}"  # as that of the first Gemma
    tokenizer.chat_template = "{% if messages[0].role == 'system' %}" + refuses + "{% endif %}{{ messages[0].content }}"
    model = LanguageModel(nano.model, tokenizer)
    assert model.encode([prompt()])
    with pytest.raises(InputError, match=r"template refuses the roles system, user: System role not supported\. Take"):
        model.encode([prompt(system="Answer at once.")])
