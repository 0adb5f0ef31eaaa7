"""DPO: the loss by hand, what is learnt, and when something looks wrong."""

import hashlib

import numpy as np
import pytest

from r2rec_bench.core.errors import InputError
from r2rec_bench.llm.base import Checkpoint, LoadOptions
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.llm.nano import Nano, NanoConfig
from r2rec_bench.training.dpo import Dpo, DpoConfig
from r2rec_bench.training.pairs.base import Pair
from r2rec_bench.training.pairs.corrupted import Corrupted

STANDSTILL = 1e-30


def log_probability(lm: LanguageModel, prompt: list[int], completion: list[int]) -> float:
    """Of a completion, token by token, unpadded."""
    import torch

    with torch.no_grad():
        log_p = lm.model(input_ids=torch.tensor([prompt + completion])).logits[0].log_softmax(-1)
    return sum(float(log_p[len(prompt) + k - 1, token]) for k, token in enumerate(completion))


def loss(model: Checkpoint, reference: Checkpoint, pairs: list[Pair], beta: float) -> float:
    """Mean of -log sigmoid(beta ((log p - log p_ref)(chosen) - (log p - log p_ref)(rejected)))."""
    lm, ref = (LanguageModel.load(checkpoint, LoadOptions()) for checkpoint in (model, reference))
    margins = [
        sum(
            sign * (log_probability(lm, pair.prompt, ids) - log_probability(ref, pair.prompt, ids))
            for sign, ids in ((1, pair.chosen), (-1, pair.rejected))
        )
        for pair in pairs
    ]
    return float(np.mean(np.logaddexp(0, -beta * np.array(margins))))


def test_the_loss_is_that_of_the_paper(tuned_nano, codes, context, train, tmp_path):
    few = codes[:8]
    pairs = Corrupted().pair(few, LanguageModel.load(tuned_nano, LoadOptions()), context(Nano())).pairs
    assert len(pairs) == 8
    common = {"lr": 5e-3, "batch_size": 8, "warmup": 0, "scheduler": "constant", "beta": 0.3}
    train(Dpo(DpoConfig.model_validate(common)), tuned_nano, few, tmp_path / "one")
    result = train(Dpo(DpoConfig.model_validate(common | {"epochs": 2})), tuned_nano, few, tmp_path / "two")
    assert result.log[0]["loss"] == pytest.approx(np.log(2), abs=1e-6)
    by_hand = loss(Checkpoint(tmp_path / "one"), tuned_nano, list(pairs), 0.3)
    assert result.log[1]["loss"] == pytest.approx(by_hand, rel=1e-4)
    assert abs(by_hand - np.log(2)) > 0.01
    assert result.tokens == 2 * sum(2 * len(p.prompt) + len(p.chosen) + len(p.rejected) for p in pairs)


def test_accumulated_passes_make_the_same_update(tuned_nano, codes, train, tmp_path):
    from safetensors.numpy import load_file

    whole = {"lr": 1e-3, "batch_size": 8, "warmup": 0}
    train(Dpo(DpoConfig(**whole)), tuned_nano, codes[:8], tmp_path / "whole")
    parts = DpoConfig(**whole | {"batch_size": 2, "gradient_accumulation": 4})
    result = train(Dpo(parts), tuned_nano, codes[:8], tmp_path / "parts")
    assert len(result.log) == 1
    one, other = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "parts"))
    for name in one:
        np.testing.assert_allclose(one[name], other[name], atol=2e-4)


def test_the_better_completion_becomes_likelier_and_again_the_same(tuned_nano, codes, train, tmp_path):
    stage = Dpo(DpoConfig(lr=3e-3, batch_size=8, epochs=4, examples=32))
    result = train(stage, tuned_nano, codes, tmp_path / "a")
    train(stage, tuned_nano, codes, tmp_path / "b")
    digests = {hashlib.sha256((tmp_path / name / "model.safetensors").read_bytes()).hexdigest() for name in ("a", "b")}
    assert len(digests) == 1
    assert (result.examples, result.notes["pairs"], result.notes["without_pair"]) == (32, 32, 0)
    assert result.notes["accuracy_last"] > 0.8
    assert result.notes["margin_last"] > 0.5
    assert result.notes["loss_last"] < 0.5 < result.notes["loss_first"]
    [alarm] = result.alarms
    assert result.notes["reward_chosen_last"] < 0
    assert alarm.startswith("The better completions have become less likely too: their mean implicit reward ends at -")


def test_alarms_when_nothing_is_preferred(tuned_nano, codes, train, tmp_path):
    result = train(Dpo(DpoConfig(lr=STANDSTILL, batch_size=4)), tuned_nano, codes[:8], tmp_path / "out")
    accuracy, margin = result.alarms
    assert accuracy.startswith("At the end the implicit reward prefers the better one of 0% of the pairs.")
    assert margin.startswith("At the end the implicit reward's mean margin is 0; above 0 is learning.")


def test_without_pairs_there_is_no_stage(tuned_nano, codes, train, tmp_path):
    with pytest.raises(InputError, match=r"dpo: no traces to learn from"):
        train(Dpo(), tuned_nano, [], tmp_path / "a")
    alone = DpoConfig.model_validate({"rejected": {"use": "corrupted", "answer": "kept", "thoughts": "foreign"}})
    with pytest.raises(InputError, match=r"dpo.rejected \(corrupted\): none of 1 prompts has a pair"):
        train(Dpo(alone), tuned_nano, codes[:1], tmp_path / "b")


def test_sampled_pairs_train_as_well(tuned_nano, codes, train, tmp_path):
    sampled = {"use": "sampled", "samples": 4, "rewards": [{"reward": "exact"}], "max_completion": 16}
    config = DpoConfig.model_validate({"lr": 5e-3, "batch_size": 4, "epochs": 5, "warmup": 0, "rejected": sampled})
    result = train(Dpo(config), tuned_nano, codes, tmp_path / "out", Nano(NanoConfig(weights=tuned_nano.path)))
    assert result.notes["pairs"] + result.notes["without_pair"] == 64
    assert result.examples == result.notes["pairs"] > 10
    assert result.notes["accuracy_last"] > 0.7
