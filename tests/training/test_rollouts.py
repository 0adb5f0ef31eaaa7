"""Completions to learn from, in every way of writing them: each as another would, or an error that names the fix."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from typing import Any, ClassVar

import pytest
import torch
from transformers import GenerationConfig, MambaConfig, MambaForCausalLM

from r2rec_bench.core.errors import InputError, R2RecError
from r2rec_bench.core.loading import load
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.core.watch import Silent
from r2rec_bench.experiment import Experiment
from r2rec_bench.llm.base import LoadOptions
from r2rec_bench.llm.hf import HfConfig, HuggingFace
from r2rec_bench.llm.loading import load_model
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.llm.nano import NanoShape, new_model, new_tokenizer
from r2rec_bench.pipeline import Pipeline
from r2rec_bench.training.grpo import Grpo, GrpoConfig
from r2rec_bench.training.rloo import Rloo, RlooConfig
from r2rec_bench.training.trl import rollouts
from tests.worlds import write_tiny

MOST = 12
ENDS = list(range(0, 277, 9))
"""A ninth of all tokens ends a completion."""
SETTINGS: dict[str, Any] = {"lr": 1e-3, "warmup": 0, "steps": 2, "prompts": 2, "group": 2, "max_completion": 6}


@pytest.fixture(scope="module")
def model():
    made = new_model(NanoShape(width=16, layers=1), seed=0)
    with torch.no_grad():
        made.model.embed_tokens.weight.mul_(20)  # of a fresh model all tokens are about equally likely
    return made


@pytest.fixture
def machine(monkeypatch):
    """Has torch see a GPU or none, and Python a package vllm or none."""

    def made(*, gpu: bool, vllm: bool) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
        monkeypatch.setattr(rollouts, "find_spec", lambda name: ModuleSpec(name, None) if vllm else None)

    return made


def config(temperature: float, ends: list[int] = ENDS) -> GenerationConfig:
    """As TRL's trainer makes it."""
    return GenerationConfig(
        max_new_tokens=MOST,
        do_sample=True,
        temperature=temperature,
        top_k=0,
        eos_token_id=ends,
        pad_token_id=new_tokenizer().pad_token_id,
        remove_invalid_values=True,
    )


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_the_same_seed_draws_what_transformers_draws(model, temperature):
    prompts = [[7 + k, 8, 9, *range(20, 20 + k)] for k in range(4) for _ in range(6)]
    torch.manual_seed(3)
    with torch.no_grad():
        expected = rollouts.generated(model, prompts, config(temperature))
    after = torch.random.get_rng_state()
    torch.manual_seed(3)
    with torch.no_grad():
        written = rollouts.sampled(model, prompts, config(temperature))
    assert written == expected
    assert torch.equal(torch.random.get_rng_state(), after)
    assert len({len(ids) for ids in written}) > 3
    assert len({tuple(ids) for ids in written[:6]}) > 1


def test_a_broken_model_still_writes(model):
    broken = new_model(NanoShape(width=16, layers=1), seed=0)
    broken.model.embed_tokens.weight.data.fill_(torch.nan)
    with torch.no_grad():
        written = rollouts.sampled(broken, [[5, 6]] * 3, config(1.0, [1]))
    assert all(1 <= len(ids) <= MOST for ids in written)


def test_continuous_batching_writes_the_likeliest_where_nothing_else_is_likely(model):
    prompts = [[7 + k, 8, 9, *range(20, 20 + k)] for k in range(4) for _ in range(2)]
    model.train()
    with torch.no_grad():
        written = rollouts.continued(model, prompts, config(1e-4))
        expected = rollouts.sampled(model, prompts, config(1e-4))
    assert written == expected
    assert len({tuple(ids) for ids in written}) == 4
    assert model.training


def test_continuous_batching_draws_by_the_seed(model):
    prompts = [[7, 8, 9]] * 8
    drawn = []
    for _ in range(2):
        torch.manual_seed(0)
        drawn.append(rollouts.continued(model, prompts, config(1.0)))
    assert drawn[0] == drawn[1]
    assert len({tuple(ids) for ids in drawn[0]}) > 4
    assert all(ids[-1] in ENDS or len(ids) == MOST for ids in drawn[0])


def test_what_continuous_batching_leaves_out_is_an_error(model, monkeypatch):
    def forward(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the kernel is gone")

    monkeypatch.setattr(model, "forward", forward)
    with pytest.raises(R2RecError, match=r"left 3 of 3 completions unwritten \(the kernel is gone\)\. Set rollouts to"):
        rollouts.continued(model, [[7, 8]] * 3, config(1.0))


def test_weights_are_rounded_for_the_pages_alone(model):
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    with rollouts.rounded(model, torch.bfloat16):
        assert {weight.dtype for weight in model.parameters()} == {torch.bfloat16}
    for name, weight in model.state_dict().items():
        assert weight.dtype is torch.float32
        assert torch.equal(weight, before[name])


@pytest.mark.slow
@pytest.mark.parametrize(
    "adapter",
    [pytest.param(None, id="all weights"), pytest.param({}, id="adapter", marks=pytest.mark.long)],
)
def test_half_precision_is_trained_by_continuous_batching(
    adapter, qwen2_checkpoint, sentences, train, tmp_path, monkeypatch
):
    half = load_model(qwen2_checkpoint, LoadOptions("bfloat16"))
    half.save_pretrained(qwen2_checkpoint.path)
    kinds: set[torch.dtype] = set()
    continued = rollouts.continued

    def spy(model: Any, *rest: Any) -> list[list[int]]:
        kinds.update(weight.dtype for weight in model.parameters())
        return continued(model, *rest)

    monkeypatch.setattr(rollouts, "continued", spy)
    backbone = HuggingFace(HfConfig.model_validate({"path": str(qwen2_checkpoint.path), "adapter": adapter}))
    stage = Grpo(GrpoConfig(**SETTINGS | {"steps": 1}, rollouts="continuous"))
    result = train(stage, qwen2_checkpoint, sentences, tmp_path / "out", backbone)
    assert result.notes["rollouts"] == "continuous"
    assert kinds == {torch.bfloat16}
    assert len(result.log) == 1


class Engine:
    """In place of TRL's vLLM engine: writes one token and the end, and keeps what it is told."""

    made: ClassVar[list[Engine]] = []

    def __init__(self, **settings: Any) -> None:
        self.settings, self.synced, self.asked = settings, 0, []
        self.made.append(self)

    def sync_weights(self) -> None:
        self.synced += 1

    def generate(self, prompts: Sequence[Sequence[int]], num_generations: int, **_: object) -> tuple[Any, ...]:
        self.asked += prompts
        end = self.settings["processing_class"].eos_token_id
        return prompts, [[20, end] for _ in prompts], [[[-1.0], [-2.0]] for _ in prompts], None


@pytest.mark.parametrize(
    "stage",
    [
        pytest.param(Grpo(GrpoConfig(**SETTINGS, rollouts="vllm", temperature=0.8)), id="grpo"),
        pytest.param(Rloo(RlooConfig(**SETTINGS, rollouts="vllm", temperature=0.8)), id="rloo"),
    ],
)
def test_vllm_is_told_what_it_needs_and_what_it_writes_is_learnt_from(
    stage, tuned_nano, codes, train, tmp_path, monkeypatch
):
    from trl.trainer import grpo_trainer, rloo_trainer

    for module in (grpo_trainer, rloo_trainer):
        monkeypatch.setattr(module, "VLLMGeneration", Engine)
    monkeypatch.setattr(rollouts, "without_vllm", lambda: "")
    monkeypatch.setattr(Engine, "made", [])
    result = train(stage, tuned_nano, codes, tmp_path / "out")
    [engine] = Engine.made
    lm = LanguageModel.load(tuned_nano, LoadOptions())
    asked = lm.encode([trace.prompt for trace in codes])
    assert engine.settings["model"].name_or_path == str(tuned_nano.path)  # where vLLM finds its weights
    told = {name: engine.settings[name] for name in ("mode", "temperature", "max_completion_length", "top_k")}
    assert told == {"mode": "colocate", "temperature": 0.8, "max_completion_length": 6, "top_k": 0}
    assert not engine.settings["generation_kwargs"]  # vLLM does not know transformers'
    assert engine.settings["max_model_length"] == max(map(len, engine.asked)) + 6
    assert all(ids in asked for ids in engine.asked)
    assert engine.synced == SETTINGS["steps"]
    assert [row["length"] for row in result.log] == [2, 2]
    assert result.notes["rollouts"] == "vllm"


@pytest.mark.parametrize(
    ("gpu", "vllm", "attention", "way"),
    [
        (True, True, "flash_attention_2", "vllm"),
        (True, False, "flash_attention_3", "continuous"),
        (True, False, "sdpa", "batched"),
        (False, True, "sdpa", "batched"),
        (False, False, "sdpa", "batched"),
    ],
)
def test_auto_takes_the_fastest_that_there_is(model, machine, monkeypatch, gpu, vllm, attention, way):
    machine(gpu=gpu, vllm=vllm)
    monkeypatch.setattr(model.config, "_attn_implementation", attention)
    assert rollouts.way_of("grpo", "auto", model) == way


def test_what_is_asked_for_by_name_and_cannot_be_had_is_refused(model, machine):
    machine(gpu=False, vllm=True)
    with pytest.raises(InputError, match=r"grpo\.rollouts is 'vllm', but vLLM needs a GPU, and torch sees none .*auto"):
        rollouts.way_of("grpo", "vllm", model)
    machine(gpu=True, vllm=False)
    with pytest.raises(InputError, match=r"rollouts is 'vllm', but vLLM is not installed: pip install 'trl\[vllm\]'"):
        rollouts.way_of("grpo", "vllm", model)
    recurrent = MambaForCausalLM(MambaConfig(vocab_size=8, hidden_size=8, num_hidden_layers=1, state_size=2))
    with pytest.raises(InputError, match=r"rloo\.rollouts is 'continuous', but MambaForCausalLM keeps something else"):
        rollouts.way_of("rloo", "continuous", recurrent)
    assert rollouts.way_of("rloo", "continuous", model) == "continuous"
    assert rollouts.way_of("rloo", "batched", recurrent) == "batched"


def test_a_machine_without_vllm_is_refused_before_anything_is_loaded(machine):
    machine(gpu=True, vllm=False)
    Grpo(GrpoConfig(rollouts="auto")).require_machine()
    with pytest.raises(InputError, match=r"rloo\.rollouts is 'vllm', but vLLM is not installed"):
        Rloo(RlooConfig(rollouts="vllm")).require_machine()


@pytest.mark.slow
def test_a_machine_without_vllm_is_refused_before_the_stages_that_come_first(tmp_path):
    stages = [{"use": "sft"}, {"use": "grpo", "rollouts": "vllm"}]
    experiment = load(write_tiny(tmp_path, stages=stages), Experiment).value
    store = ArtifactStore(tmp_path / "artifacts")
    with pytest.raises(InputError, match=r"grpo\.rollouts is 'vllm', but vLLM"):
        Pipeline(experiment, store, Silent()).last()
    assert {artifact.stage for artifact in store} >= {"traces"}
    assert {artifact.stage for artifact in store}.isdisjoint({"sft", "grpo"})
