"""Groups about language models at tiny sizes: the plain way beside ours computes the same."""

import numpy as np
import pytest
import torch

from r2rec_bench.bench import rollouts, scoring, training
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.llm.nano import NanoShape, new_model, new_tokenizer


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> LanguageModel:
    """In place of the model of 20 M parameters."""
    made = new_model(NanoShape(width=16, layers=1), seed=0).eval()
    monkeypatch.setattr(scoring, "of_20_million", lambda: made)
    return LanguageModel(made, new_tokenizer())


def test_scores_are_those_of_the_plain_way(small: LanguageModel):
    prompts = scoring.questions(6, 30, 5)
    assert len({tuple(prompt[:30]) for prompt in prompts}) == 1 < len({tuple(prompt) for prompt in prompts})
    ours = small.outcome_scores(prompts, scoring.OUTCOMES).log_probabilities
    plain = scoring.plainly(small.model, prompts, small.encode_texts(scoring.OUTCOMES))
    np.testing.assert_allclose(ours, plain, atol=1e-5)
    assert np.ptp(ours) > 0.01


def test_a_difference_is_told_to_what_float32_can_tell_apart(small: LanguageModel):
    scored, difference, thought = scoring.measure(0.01)
    assert "20 candidates scored, 4 tokens shared and 24 of their own" in scored.name
    assert len(scored.ours) == len(scored.plain) == 1
    assert 0 < difference.value <= scoring.TOLERANCE
    assert difference.holds
    assert "8 questions" in thought.name
    # Between 4 and 8, float32 has 23 binary digits after the first: steps of 2 ** -21.
    assert scoring.resolution(np.array([-0.5, -5.0])) == 2**-21


@pytest.mark.slow
def test_fine_tuning_is_measured_beside_a_bare_loop_and_packed_beside_padded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(training, "BATCH", 4)
    found = training.measure(0.01)
    assert found[0].name == "SFT by nano, 4 traces an update of up to 54 + 28 tokens"
    assert all(len(one.ours) == len(one.plain) == 1 for one in found)
    assert all(min(one.ours + one.plain) > 0 for one in found)
    assert found[1].ours == found[2].ours
    assert found[1].name == found[2].name
    assert found[1].name.endswith("tokens, packed")


@pytest.mark.slow
def test_a_step_of_grpo_is_measured_beside_its_parts_and_rewards_by_themselves(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rollouts, "PROMPTS", 2)
    monkeypatch.setattr(rollouts, "GROUP", 2)
    monkeypatch.setattr(rollouts, "WRITTEN", 4)
    step, written, rewarded = rollouts.measure(0.001)
    assert step.name.startswith("A GRPO step: 2 prompts of 54 tokens × 2 completions of up to 4")
    assert len(step.ours) == len(step.plain) == 2  # three steps, the first not counted
    assert written.name == "4 completions of up to 4 tokens written for 2 prompts, by nano"
    assert len(written.ours) == len(written.plain) == 1
    assert rewarded.name == "10 completions parsed and rewarded"


def test_questions_to_be_rewarded_are_answered_in_form():
    judged = rollouts.Judge(rollouts.default_rewards(), rollouts.context(lambda step, n, figures: None))
    asked = [rollouts.question(user) for user in range(20)]
    rewards = judged([trace.completion for trace in asked], asked)
    assert rewards["format"].tolist() == rewards["rating"].tolist() == [1.0] * 20
    assert len(set(rewards["step"].tolist())) > 3  # forecasts are drawn


def test_the_model_of_20_million_has_about_so_many():
    with torch.device("meta"):
        assert 18e6 < sum(weight.numel() for weight in scoring.of_20_million().parameters()) < 26e6
