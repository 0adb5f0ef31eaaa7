"""RLOO: each reward less the mean of the others', on our own token ids."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from r2rec_bench.llm.model import LanguageModel, TokenIds
from r2rec_bench.llm.nano import Nano
from r2rec_bench.training.rewards.rating import Rating
from r2rec_bench.training.rloo import Rloo, RlooConfig
from r2rec_bench.training.trl import reinforced

GIVEN = [1.0, 0.0, 0.5, 0.0, 0.25, 0.25, 0.25, 1.0]


def config(**settings: object) -> RlooConfig:
    few = {"steps": 1, "prompts": 2, "group": 4, "max_completion": 16, "rewards": [{"reward": "rating"}]}
    return RlooConfig.model_validate(few | settings)


@pytest.mark.parametrize("beta", [0.0, 0.5])
def test_the_advantage_leaves_the_completion_itself_out(tuned_nano, codes, train, tmp_path, monkeypatch, beta):
    from trl.trainer.rloo_trainer import RLOOTrainer

    used: list[float] = []
    compute = RLOOTrainer._compute_loss

    def spy(self, model, inputs):
        used.extend(inputs["advantages"].tolist())
        return compute(self, model, inputs)

    monkeypatch.setattr(RLOOTrainer, "_compute_loss", spy)
    monkeypatch.setattr(Rating, "score", lambda self, readings, traces: np.array(GIVEN))
    result = train(Rloo(config(beta=beta)), tuned_nano, codes, tmp_path / "out")
    # 1 - (0 + .5 + 0) / 3, 0 - (1 + .5 + 0) / 3, ...; no KL yet, whatever its weight
    by_hand = [5 / 6, -1 / 2, 1 / 6, -1 / 2, -1 / 4, -1 / 4, -1 / 4, 3 / 4]
    assert sorted(used) == pytest.approx(sorted(by_hand), abs=1e-5)
    assert result.log[0]["reward"] == pytest.approx(np.mean(GIVEN))


def test_the_prompts_sampled_are_those_scored_elsewhere(tuned_nano, codes, train, tmp_path, monkeypatch):
    asked: list[TokenIds] = []
    rolled_out = reinforced.rolled_out

    def spy(trainer: Any, prompts: Sequence[TokenIds], way: Any) -> list[TokenIds]:
        asked.extend(prompts)
        return rolled_out(trainer, prompts, way)

    monkeypatch.setattr(reinforced, "rolled_out", spy)
    train(Rloo(config(gradient_accumulation=2)), tuned_nano, codes[:2], tmp_path / "out")
    expected = LanguageModel.load(tuned_nano, Nano().load_options()).encode([trace.prompt for trace in codes[:2]])
    assert sorted(asked) == sorted(expected * 4)


def test_answers_move_to_where_the_reward_is(tuned_nano, codes, train, tmp_path):
    all_fives = [replace(trace, answer=5) for trace in codes]
    settings = {"lr": 5e-3, "steps": 14, "prompts": 8, "group": 8, "beta": 0.01, "rewards": [{"reward": "exact"}]}
    result = train(Rloo(config(**settings)), tuned_nano, all_fives, tmp_path / "out")
    first, last = result.log[0], result.log[-1]
    assert first["kl"] == pytest.approx(0, abs=1e-6)
    assert first["reward/exact"] < 0.5
    assert last["reward/exact"] > 0.8
    assert last["kl"] > 0.01


def test_a_kl_term_does_not_hide_that_all_rewards_are_one(tuned_nano, codes, train, tmp_path, monkeypatch):
    given = [GIVEN, *[[0.5] * len(GIVEN)] * 3]
    monkeypatch.setattr(Rating, "score", lambda self, readings, traces: np.array(given.pop(0)))
    result = train(Rloo(config(steps=4, lr=1e-2, beta=0.5, warmup=0)), tuned_nano, codes, tmp_path / "out")
    assert all(row["kl"] != 0 for row in result.log[1:])  # it differs between completions of one reward
    assert [row["zero_variance"] for row in result.log] == [0, 1, 1, 1]
    assert result.alarms[0].startswith("75% of the groups had one reward for all 4 completions (alarm above 50%)")
