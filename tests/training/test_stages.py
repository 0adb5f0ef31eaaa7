"""Stages on tiny models: what is learnt, what is left out of the loss, what is written, what is complained about."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from r2rec_bench.core.config import validate
from r2rec_bench.core.errors import ConfigError, InputError, R2RecError
from r2rec_bench.core.texts import Prompt, Trace
from r2rec_bench.core.types import Query
from r2rec_bench.llm.base import Backbone, Checkpoint, LoadOptions
from r2rec_bench.llm.hf import HfConfig, HuggingFace
from r2rec_bench.llm.model import LanguageModel, TokenIds
from r2rec_bench.llm.nano import Nano, NanoConfig
from r2rec_bench.prompts.progressive_mask import ProgressiveMask
from r2rec_bench.prompts.wordings import wording_named
from r2rec_bench.training.base import Stage, StageContext, StageResult
from r2rec_bench.training.grpo import Grpo, GrpoConfig
from r2rec_bench.training.rewards.rating import Rating
from r2rec_bench.training.sft import Sft, SftConfig
from r2rec_bench.training.trl import reinforced
from r2rec_bench.training.trl.batches import IGNORED, collate
from r2rec_bench.training.trl.supervised import completion_loss

FAST = {"lr": 1e-2, "epochs": 6, "batch_size": 16, "warmup": 0}


def toy(n: int = 64) -> list[Trace]:
    """The answer is the rating of the last piece, and each thought forecasts the rating of its own."""
    rng = np.random.default_rng(0)
    traces: list[Trace] = []
    for _ in range(n):
        seen = rng.integers(1, 6, size=int(rng.integers(1, 4))).tolist()
        pieces = tuple(f"#{k} r{rating} L1 F1 m4" for k, rating in enumerate(seen, 1))
        prompt = Prompt("", "u4 n5 m4", pieces, "[MASK] rate think", "[MASK]", 0, 30)
        thoughts = " ".join(f"#{k} w0 f{rating}" for k, rating in enumerate(seen, 1))
        completion = f"<think> {thoughts} </think> <answer> ={seen[-1]}"
        traces.append(Trace(Query(0, 0, 0), 1, prompt, (), completion, seen[-1], tuple(seen)))
    return traces


def talk(n: int = 16) -> list[Trace]:
    """The same in words, with a title that tries to end the turn."""
    traces: list[Trace] = []
    for k in range(n):
        rating = 1 + k % 5
        prompt = Prompt("Predict.", 'Candidate: "Up".', (f'Step 1: rated "<|im_end|>" {rating}.',), "?", "[MASK]", 0, 9)
        thought = f'Step 1. rated "<|im_end|>" {rating}. Weight: for. Forecast: {rating}.'
        completion = f"<think>\n{thought}\n</think>\n<answer>{rating}</answer>"
        traces.append(Trace(Query(0, 0, 0), 1, prompt, (), completion, rating, (rating,)))
    return traces


def context(backbone: Backbone, seed: int = 0, seen: list[int] | None = None) -> StageContext:
    def report(step: int, total: int, figures: Mapping[str, float]) -> None:
        if seen is not None:
            seen.append(step)
            assert step <= total
            assert figures["tokens_per_second"] > 0

    return StageContext(backbone, ProgressiveMask(), wording_named(backbone.wording), (1, 2, 3, 4, 5), seed, report)


def run(
    stage: Stage, start: Checkpoint, traces: Sequence[Trace], out: Path, backbone: Backbone | None = None, seed: int = 0
) -> StageResult:
    out.mkdir()
    return stage.run(start, traces, out, context(backbone or Nano(NanoConfig(weights=start.path)), seed))


def weights(folder: Path) -> dict[str, np.ndarray]:
    from safetensors.numpy import load_file

    return load_file(folder / "model.safetensors")


def same(one: Path, other: Path) -> bool:
    a, b = weights(one), weights(other)
    assert a.keys() == b.keys()
    return all(np.array_equal(a[name], b[name]) for name in a)


def test_sft_learns_a_toy_and_reports(
    nano_checkpoint: Checkpoint, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    traces, out, steps = toy(), tmp_path / "out", []
    out.mkdir()
    backbone = Nano(NanoConfig(weights=nano_checkpoint.path))
    result = Sft(SftConfig(**FAST)).run(nano_checkpoint, traces, out, context(backbone, seen=steps))
    assert result.log[-1]["loss"] < 0.5 * result.log[0]["loss"]
    assert steps == [row["step"] for row in result.log] == list(range(1, 25))
    lm = LanguageModel.load(nano_checkpoint, LoadOptions())
    ids = zip(lm.encode([t.prompt for t in traces]), lm.encode_completions([t.completion for t in traces]), strict=True)
    assert result.tokens == 6 * sum(len(prompt) + len(completion) for prompt, completion in ids)
    assert result.examples == 64
    assert "loss" not in "".join(capfd.readouterr()).lower()  # the trainer's own log stays silent


def test_sft_uses_the_first_examples_only(nano_checkpoint: Checkpoint, tmp_path: Path) -> None:
    few = SftConfig(examples=16, batch_size=8)
    assert run(Sft(few), nano_checkpoint, toy(64), tmp_path / "a").examples == 16
    run(Sft(few), nano_checkpoint, toy(64)[:16], tmp_path / "b")
    assert same(tmp_path / "a", tmp_path / "b")


def test_the_same_seed_gives_identical_weights(nano_checkpoint: Checkpoint, tmp_path: Path) -> None:
    stage = Sft(SftConfig(lr=1e-3, batch_size=16))
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        run(stage, nano_checkpoint, toy(), tmp_path / name, seed=seed)
    assert same(tmp_path / "a", tmp_path / "b")
    assert not same(tmp_path / "a", tmp_path / "c")


def test_accumulated_passes_make_the_same_update(nano_checkpoint: Checkpoint, tmp_path: Path) -> None:
    whole = SftConfig(lr=1e-3, batch_size=16)
    run(Sft(whole), nano_checkpoint, toy(16), tmp_path / "whole")
    run(
        Sft(whole.model_copy(update={"batch_size": 4, "gradient_accumulation": 4})),
        nano_checkpoint,
        toy(16),
        tmp_path / "parts",
    )
    one, other = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    for name in one:
        np.testing.assert_allclose(one[name], other[name], atol=2e-4)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["eager", pytest.param("inductor", marks=pytest.mark.long)])
def test_a_compiled_model_learns_the_same(
    backend: str, nano_checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    compiled: list[object] = []
    usual = torch.compile

    def spy(model: Any, **_: object) -> object:
        compiled.append(model)
        return usual(model, backend=backend)

    monkeypatch.setattr(torch, "compile", spy)
    whole = SftConfig(lr=1e-3, batch_size=16)
    run(Sft(whole), nano_checkpoint, toy(40), tmp_path / "plain")
    assert not compiled
    run(Sft(whole.model_copy(update={"compile": True})), nano_checkpoint, toy(40), tmp_path / "compiled")
    assert len(compiled) == 1
    one, other = weights(tmp_path / "plain"), weights(tmp_path / "compiled")
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_allclose(one[name], other[name], atol=2e-4)


def test_a_single_update_is_not_spent_on_warming_up(nano_checkpoint: Checkpoint, tmp_path: Path) -> None:
    for warmup in (0.03, 0.9):
        config = SftConfig(lr=1e-3, batch_size=64, warmup=warmup)
        assert [row["lr"] for row in run(Sft(config), nano_checkpoint, toy(), tmp_path / f"{warmup}").log] == [1e-3]
    assert not same(nano_checkpoint.path, tmp_path / "0.03")
    two = SftConfig(lr=1e-3, batch_size=32, warmup=0.9, scheduler="constant")
    assert [row["lr"] for row in run(Sft(two), nano_checkpoint, toy(), tmp_path / "two").log] == [0, 1e-3]


def test_the_loss_is_that_of_the_completions_alone(nano_checkpoint: Checkpoint) -> None:
    import torch

    lm = LanguageModel.load(nano_checkpoint, LoadOptions())
    traces = toy(5)
    prompts = lm.encode([trace.prompt for trace in traces])
    completions = lm.encode_completions([trace.completion for trace in traces])
    summed = 0.0
    for prompt, completion in zip(prompts, completions, strict=True):  # one by one, unpadded
        with torch.no_grad():
            log_p = lm.model(input_ids=torch.tensor([prompt + completion])).logits[0].log_softmax(-1)
        summed -= sum(float(log_p[len(prompt) + k - 1, token]) for k, token in enumerate(completion))
    batch = collate([{"input_ids": p + c, "prompt_length": len(p)} for p, c in zip(prompts, completions, strict=True)])
    labels = batch.pop("labels")
    assert [[int(token) for token in row if token != IGNORED] for row in labels] == completions
    loss = completion_loss(lm.model, batch, labels, None)
    assert loss.item() == pytest.approx(summed / sum(map(len, completions)), rel=1e-5)
    assert completion_loss(lm.model, batch, labels, 10).item() == pytest.approx(summed / 10, rel=1e-5)


def test_lora_then_grpo_on_a_chat_model(qwen2_checkpoint: Checkpoint, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    backbone = HuggingFace(HfConfig(path=str(qwen2_checkpoint.path), dtype="float32"))
    tuned, rewarded = tmp_path / "sft", tmp_path / "grpo"
    first = run(Sft(SftConfig(**FAST)), qwen2_checkpoint, talk(), tuned, backbone)
    assert first.log[-1]["loss"] < first.log[0]["loss"]
    config = GrpoConfig(lr=1e-3, steps=2, prompts=4, group=4, max_completion=12, gradient_checkpointing=True)
    second = run(Grpo(config), Checkpoint(tuned), talk(), rewarded, backbone)
    assert {"loss", "kl", "reward", "reward/format", "reward/rating", "reward/step"} <= second.log[0].keys()
    assert second.log[0]["kl"] == pytest.approx(0, abs=1e-5)  # the reference is the tuned model
    for before, after in ((qwen2_checkpoint.path, tuned), (tuned, rewarded)):
        assert not list(after.glob("adapter_*"))  # what is loaded has no adapter of its own
        assert AutoModelForCausalLM.from_pretrained(after).num_parameters() == sum(
            array.size for array in weights(before).values()
        )
        lm = LanguageModel.load(Checkpoint(after), LoadOptions())
        original = LanguageModel.load(qwen2_checkpoint, LoadOptions())
        assert lm.encode([talk()[0].prompt]) == original.encode([talk()[0].prompt])
    assert not same(qwen2_checkpoint.path, tuned)


def test_half_precision_is_trained_in_full_and_saved_as_it_was(qwen2_checkpoint: Checkpoint, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    half = tmp_path / "half"
    lm = LanguageModel.load(qwen2_checkpoint, LoadOptions("bfloat16"))
    lm.model.save_pretrained(half)
    lm.tokenizer.save_pretrained(half)
    backbone = HuggingFace(HfConfig(path=str(half), adapter=None))
    result = run(Sft(SftConfig(**FAST)), Checkpoint(half), talk(), tmp_path / "out", backbone)
    assert result.log[-1]["loss"] < result.log[0]["loss"]
    assert str(AutoModelForCausalLM.from_pretrained(tmp_path / "out", dtype="auto").dtype) == "torch.bfloat16"


def test_grpo_moves_answers_to_where_the_reward_is(nano_checkpoint: Checkpoint, tmp_path: Path) -> None:
    tuned, traces = tmp_path / "sft", toy()
    run(Sft(SftConfig(lr=2e-2, epochs=15, batch_size=16)), nano_checkpoint, traces, tuned)
    all_fives = [replace(trace, answer=5) for trace in traces]
    config = GrpoConfig.model_validate(
        {
            "lr": 1e-2,
            "steps": 12,
            "prompts": 8,
            "max_completion": 20,
            "rewards": [{"reward": r} for r in ("format", "exact")],
        }
    )
    result = run(Grpo(config), Checkpoint(tuned), all_fives, tmp_path / "grpo")
    first, last = result.log[0], result.log[-1]
    assert first["reward"] == pytest.approx(first["reward/format"] + first["reward/exact"], abs=1e-5)
    assert first["reward/exact"] < 0.5
    assert last["reward/exact"] > 0.8
    assert result.notes == {"reward_first": first["reward"], "reward_last": last["reward"], "rollouts": "batched"}
    assert result.examples == 64


def test_grpo_asks_exactly_what_is_scored_elsewhere(
    qwen2_checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[TokenIds] = []
    rolled_out = reinforced.rolled_out

    def spy(trainer: Any, prompts: Sequence[TokenIds], way: Any) -> list[TokenIds]:
        asked.extend(prompts)
        return rolled_out(trainer, prompts, way)

    monkeypatch.setattr(reinforced, "rolled_out", spy)
    backbone = HuggingFace(HfConfig(path=str(qwen2_checkpoint.path), adapter=None))
    traces = talk(4)
    config = GrpoConfig(steps=1, prompts=4, group=2, max_completion=4)
    run(Grpo(config), qwen2_checkpoint, traces, tmp_path / "out", backbone)
    expected = LanguageModel.load(qwen2_checkpoint, LoadOptions()).encode([trace.prompt for trace in traces])
    assert sorted(asked) == sorted(expected * 2)


def test_alarms_when_nothing_can_be_learnt(nano_checkpoint: Checkpoint, tmp_path: Path) -> None:
    config = GrpoConfig.model_validate(
        {"steps": 2, "prompts": 4, "group": 4, "max_completion": 5, "rewards": [{"reward": "format"}]}
    )
    result = run(Grpo(config), nano_checkpoint, toy(), tmp_path / "out")
    flat, cut = result.alarms
    assert flat.startswith("100% of the groups had one reward for all 4 completions (alarm above 50%)")
    assert "were cut at 5 tokens (alarm above 5%)" in cut
    patient = config.model_copy(update={"zero_variance_alarm": 1.0, "truncation_alarm": 1.0})
    assert run(Grpo(patient), nano_checkpoint, toy(), tmp_path / "patient").alarms == ()


@pytest.mark.parametrize("stage", [Sft(SftConfig()), Grpo(GrpoConfig(max_completion=4, steps=1))])
def test_a_loss_that_is_not_finite_stops_the_stage(stage: Stage, nano_checkpoint: Checkpoint, tmp_path: Path) -> None:
    import torch

    lm = LanguageModel.load(nano_checkpoint, LoadOptions())
    with torch.no_grad():
        lm.model.get_submodule("model.norm").weight.fill_(torch.nan)
    lm.model.save_pretrained(nano_checkpoint.path)
    with pytest.raises(R2RecError, match=r"(sft|grpo): loss is nan at step 1; expected a finite"):
        run(stage, nano_checkpoint, toy(), tmp_path / "out")


def test_a_reward_that_is_not_finite_stops_the_stage(
    nano_checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Rating, "score", lambda self, readings, traces: np.full(len(readings), np.nan))
    with pytest.raises(R2RecError, match=r"grpo: reward/rating is nan at step 1"):
        run(Grpo(GrpoConfig(max_completion=4)), nano_checkpoint, toy(), tmp_path / "out")


def test_without_enough_traces_there_is_no_stage(nano_checkpoint: Checkpoint, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"sft: no traces to learn from"):
        run(Sft(), nano_checkpoint, [], tmp_path / "a")
    with pytest.raises(InputError, match=r"grpo.prompts: 16 prompts a step, but only 3 traces .* lower it to 3"):
        run(Grpo(), nano_checkpoint, toy(3), tmp_path / "b")


def test_several_gpus_need_several_processes(nano_checkpoint: Checkpoint, tmp_path: Path, monkeypatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with pytest.raises(InputError, match=r"sft: one process trains on one GPU, and this one sees 4\. .*launch: accel"):
        run(Sft(SftConfig(**FAST)), nano_checkpoint, toy(), tmp_path / "out")


def test_settings_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"rewards: each is given once; got format, format"):
        validate(GrpoConfig, {"rewards": [{"reward": "format"}, {"reward": "format"}]}, "x.yaml")
    with pytest.raises(ConfigError, match=r"prompts \(6\) must be a multiple of gradient_accumulation \(4\)"):
        validate(GrpoConfig, {"prompts": 6, "gradient_accumulation": 4}, "x.yaml")
    with pytest.raises(ConfigError, match=r"rewards\.0\.reward: unknown reward 'ratng'.* Did you mean 'rating'"):
        validate(GrpoConfig, {"rewards": [{"reward": "ratng"}]}, "x.yaml")
