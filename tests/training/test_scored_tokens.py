"""What is learnt is the same where the last layer sees completions only, prompts and padding left out."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from r2rec_bench.llm.base import LoadOptions
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.llm.nano import Nano
from r2rec_bench.training.dpo import Dpo, DpoConfig
from r2rec_bench.training.grpo import Grpo, GrpoConfig
from r2rec_bench.training.pairs.corrupted import Corrupted
from r2rec_bench.training.rloo import Rloo, RlooConfig
from r2rec_bench.training.trl import preferred, reinforced

SETTINGS: dict[str, object] = {"steps": 3, "prompts": 4, "group": 4, "max_completion": 16, "lr": 1e-3, "warmup": 0}
# Passes of a step: policy and reference; RLOO has the policy as it was before the step too.
STAGES = [
    pytest.param(Grpo(GrpoConfig.model_validate(SETTINGS | {"beta": 0.1})), 2, id="grpo"),
    pytest.param(Rloo(RlooConfig.model_validate(SETTINGS)), 3, id="rloo"),
]


@pytest.fixture
def scored(monkeypatch):
    """Tokens put through the last layer, a number for each pass, before they are thrown away or not."""
    from trl.trainer import utils

    function: Any = utils._ChunkedLogProbFunction
    passes: list[int] = []

    class Counting:
        @staticmethod
        def apply(hidden: torch.Tensor, *rest: object) -> Any:
            passes.append(len(hidden))
            return function.apply(hidden, *rest)

    monkeypatch.setattr(utils, "_ChunkedLogProbFunction", Counting)
    return passes


@pytest.mark.parametrize(("stage", "times"), STAGES)
def test_the_weights_are_those_learnt_where_all_tokens_are_scored(
    stage, times, tuned_nano, codes, train, tmp_path, monkeypatch, scored
):
    few = train(stage, tuned_nano, codes, tmp_path / "few")
    ours, scored[:] = list(scored), []
    monkeypatch.setattr(reinforced, "completions_alone", nullcontext)
    every = train(stage, tuned_nano, codes, tmp_path / "every")

    written = [row["length"] * 16 for row in few.log]  # four prompts, four completions of each
    assert ours == pytest.approx([tokens for tokens in written for _ in range(times)])
    assert all(less < more / 2 for less, more in zip(ours, scored, strict=True))

    require_same_learning(tuned_nano.path, tmp_path)
    for row, expected in zip(few.log, every.log, strict=True):
        for figure in ("loss", "reward", "kl", "entropy", "grad_norm"):
            assert row[figure] == pytest.approx(expected[figure], rel=1e-3, abs=1e-6)


def test_preferences_are_learnt_of_completions_too(tuned_nano, codes, context, train, tmp_path, monkeypatch, scored):
    stage = Dpo(DpoConfig(lr=1e-2, batch_size=8, warmup=0, epochs=2))
    few = train(stage, tuned_nano, codes[:8], tmp_path / "few")
    ours, scored[:] = list(scored), []
    monkeypatch.setattr(preferred, "completions_alone", nullcontext)
    every = train(stage, tuned_nano, codes[:8], tmp_path / "every")

    pairs = Corrupted().pair(codes[:8], LanguageModel.load(tuned_nano, LoadOptions()), context(Nano())).pairs
    written = sum(len(pair.chosen) + len(pair.rejected) for pair in pairs)
    assert ours == [written] * 4  # two updates, each with a pass of the model and one of the reference
    assert all(less < more / 2 for less, more in zip(ours, scored, strict=True))
    require_same_learning(tuned_nano.path, tmp_path)
    assert [row["loss"] for row in few.log] == pytest.approx([row["loss"] for row in every.log], rel=1e-4)


def require_same_learning(start: Path, trained: Path) -> None:
    """Of `few` and `every` in a folder: weights that have moved, and to the same place."""
    folders = (start, trained / "few", trained / "every")
    before, learnt, same = (load_file(folder / "model.safetensors") for folder in folders)
    assert max(float((learnt[name] - before[name]).abs().max()) for name in before) > 1e-3
    for name, weights in learnt.items():
        torch.testing.assert_close(weights, same[name], rtol=0, atol=1e-5)
