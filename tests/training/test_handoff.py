"""What becomes of an adapter from one stage to the next."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from r2rec_bench.core.config import Spec
from r2rec_bench.core.errors import ConfigError, InputError
from r2rec_bench.core.loading import load
from r2rec_bench.experiment import Experiment
from r2rec_bench.llm.base import Checkpoint, LoadOptions, Lora
from r2rec_bench.llm.hf import HfConfig, HuggingFace
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.training.dpo import Dpo, DpoConfig
from r2rec_bench.training.grpo import Grpo, GrpoConfig
from r2rec_bench.training.loop import LoopConfig, handoff_problems
from r2rec_bench.training.rloo import Rloo, RlooConfig
from r2rec_bench.training.sft import Sft, SftConfig

QUICKSTART = Path(__file__).parents[2] / "experiments" / "quickstart.yaml"
RANK, ALPHA = 4, 12
STANDSTILL = 1e-30
"""A learning rate that moves nothing."""
SFT = {"lr": 1e-2, "batch_size": 8, "warmup": 0}
FEW = {"steps": 1, "prompts": 2, "group": 2, "max_completion": 4, "warmup": 0}


def backbone(start: Checkpoint, dtype: str = "float32") -> HuggingFace:
    lora = Lora(rank=RANK, alpha=ALPHA)
    return HuggingFace(HfConfig.model_validate({"path": str(start.path), "dtype": dtype, "adapter": lora}))


def arrays(file: Path) -> dict[str, np.ndarray]:
    from safetensors.torch import load_file

    return {name: tensor.float().numpy() for name, tensor in load_file(file).items()}


def weights(checkpoint: Checkpoint) -> dict[str, np.ndarray]:
    return arrays(checkpoint.path / "model.safetensors")


def adapter(checkpoint: Checkpoint) -> dict[str, np.ndarray]:
    assert checkpoint.adapter
    return arrays(checkpoint.adapter / "adapter_model.safetensors")


def by_hand(base: dict[str, np.ndarray], adapted: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """W + alpha / r · B A; the names are PEFT's."""
    merged = dict(base)
    for name, a in adapted.items():
        if ".lora_A." in name:
            b = adapted[name.replace(".lora_A.", ".lora_B.")]
            assert a.shape[0] == b.shape[1] == RANK
            place = name.removeprefix("base_model.model.").replace(".lora_A.weight", ".weight")
            merged[place] = base[place] + ALPHA / RANK * b @ a
    return merged


def close(one: dict[str, np.ndarray], other: dict[str, np.ndarray], atol: float = 1e-6) -> bool:
    assert one.keys() == other.keys()
    return all(np.allclose(one[name], other[name], atol=atol) for name in one)


@pytest.fixture(scope="module")
def tuned(shared_qwen2, sentences, train, tmp_path_factory) -> Checkpoint:
    """The chat model after SFT, with its adapter and what that sits on."""
    folder = tmp_path_factory.mktemp("sft") / "out"
    train(Sft(SftConfig(**SFT)), shared_qwen2, sentences, folder, backbone(shared_qwen2))
    return Checkpoint(folder, shared_qwen2.path)


def test_the_adapter_is_kept_apart_and_merged(shared_qwen2, tuned):
    assert not close(weights(shared_qwen2), weights(tuned))
    assert close(by_hand(weights(shared_qwen2), adapter(tuned)), weights(tuned))
    assert tuned.adapter
    assert {file.name for file in tuned.adapter.iterdir()} == {"adapter_config.json", "adapter_model.safetensors"}
    settings = json.loads((tuned.adapter / "adapter_config.json").read_text())
    assert (settings["r"], settings["lora_alpha"]) == (RANK, ALPHA)
    assert settings["base_model_name_or_path"] is None
    assert settings["target_modules"] == sorted(settings["target_modules"])
    for file in tuned.path.rglob("*"):
        if file.is_file():
            assert str(tuned.path.parent).encode() not in file.read_bytes()
            assert str(shared_qwen2.path.parent).encode() not in file.read_bytes()


def test_peft_loads_the_adapter_on_its_base(shared_qwen2, tuned, sentences):
    import torch
    from peft import PeftModel

    merged = LanguageModel.load(tuned, LoadOptions())
    base = LanguageModel.load(shared_qwen2, LoadOptions())
    ids = torch.tensor([base.encode([sentences[0].prompt])[0]])
    adapted = PeftModel.from_pretrained(base.model, tuned.adapter)
    with torch.no_grad():
        assert torch.allclose(adapted(input_ids=ids).logits, merged.model(input_ids=ids).logits, atol=1e-4)


def test_continue_moves_the_same_adapter_on_the_untouched_base(shared_qwen2, tuned, sentences, train, tmp_path):
    stage = Sft(SftConfig(**SFT, handoff="continue"))
    train(stage, tuned, sentences, tmp_path / "out", backbone(shared_qwen2))
    further = Checkpoint(tmp_path / "out", shared_qwen2.path)
    assert adapter(further).keys() == adapter(tuned).keys()
    assert not any(np.array_equal(before, adapter(further)[name]) for name, before in adapter(tuned).items())
    assert close(by_hand(weights(shared_qwen2), adapter(further)), weights(further))
    adapted = {name.removeprefix("base_model.model.").split(".lora_")[0] + ".weight" for name in adapter(further)}
    others = weights(shared_qwen2).keys() - adapted
    assert others
    assert all(np.array_equal(weights(shared_qwen2)[name], weights(further)[name]) for name in others)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_continue_at_a_standstill_gives_the_checkpoint_back(shared_qwen2, tuned, sentences, train, tmp_path, dtype):
    start = tuned
    if dtype == "bfloat16":
        half = backbone(shared_qwen2, dtype)
        train(Sft(SftConfig(**SFT)), shared_qwen2, sentences, tmp_path / "sft", half)
        start = Checkpoint(tmp_path / "sft", shared_qwen2.path)
    config = GrpoConfig(**FEW, handoff="continue", lr=STANDSTILL, gradient_checkpointing=dtype == "float32")
    result = train(Grpo(config), start, sentences, tmp_path / "out", backbone(shared_qwen2, dtype))
    assert result.log[0]["kl"] == 0
    again = Checkpoint(tmp_path / "out", shared_qwen2.path)
    assert close(adapter(again), adapter(start), atol=0)
    assert close(weights(again), weights(start), atol=0)
    model = LanguageModel.load(again, LoadOptions("auto")).model
    assert str(model.dtype) == f"torch.{dtype}"


@pytest.mark.parametrize("handoff", ["fresh", "continue", "merge"])
def test_the_reference_is_the_checkpoint_opened(shared_qwen2, tuned, sentences, train, tmp_path, handoff):
    """The tuned model is far from its base, so that a reference without the adapter would show."""
    common = {"handoff": handoff, "lr": 1e-3, "warmup": 0}
    llm = backbone(shared_qwen2)
    grpo = train(Grpo(GrpoConfig(**FEW | common)), tuned, sentences, tmp_path / "grpo", llm)
    rloo = train(Rloo(RlooConfig(**FEW | common)), tuned, sentences, tmp_path / "rloo", llm)
    dpo = train(Dpo(DpoConfig(**common, examples=4, batch_size=2)), tuned, sentences, tmp_path / "dpo", llm)
    assert grpo.log[0]["kl"] == pytest.approx(0, abs=1e-6)
    assert rloo.log[0]["kl"] == pytest.approx(0, abs=1e-6)
    assert dpo.log[0]["loss"] == pytest.approx(np.log(2), abs=1e-5)
    # After an update the reference stays where it was, and the model does not.
    assert abs(dpo.log[1]["loss"] - np.log(2)) > 1e-4


def test_merge_trains_all_weights_from_there(shared_qwen2, tuned, sentences, train, tmp_path):
    train(Sft(SftConfig(**SFT, handoff="merge")), tuned, sentences, tmp_path / "out", backbone(shared_qwen2))
    merged = Checkpoint(tmp_path / "out")
    assert merged.adapter is None
    for place in ("model.embed_tokens.weight", "model.norm.weight"):  # no adapter was ever there
        assert np.array_equal(weights(shared_qwen2)[place], weights(tuned)[place])
        assert not np.array_equal(weights(tuned)[place], weights(merged)[place])


def test_fresh_starts_a_new_adapter_on_the_merged_weights(shared_qwen2, tuned, sentences, train, tmp_path):
    train(Sft(SftConfig(**SFT)), tuned, sentences, tmp_path / "out", backbone(shared_qwen2))
    fresh = Checkpoint(tmp_path / "out", tuned.path)
    assert close(by_hand(weights(tuned), adapter(fresh)), weights(fresh))


@pytest.mark.parametrize("handoff", ["continue", "merge"])
def test_what_is_not_there_is_not_handed_on(
    shared_qwen2, tuned, nano_checkpoint, codes, sentences, train, tmp_path, handoff
):
    stage = Sft(SftConfig(handoff=handoff))
    with pytest.raises(
        InputError, match=f"stages.sft.handoff is '{handoff}', but the backbone trains all .* Use fresh"
    ):
        train(stage, nano_checkpoint, codes, tmp_path / "a")
    with pytest.raises(InputError, match=f"stages.sft.handoff is '{handoff}', but no stage before trained an adapter"):
        train(stage, shared_qwen2, sentences, tmp_path / "b", backbone(shared_qwen2))
    if handoff == "continue":
        with pytest.raises(InputError, match="no adapter with a known base"):
            train(stage, replace(tuned, base=None), sentences, tmp_path / "c", backbone(shared_qwen2))


def test_an_experiment_that_cannot_hand_on_is_refused_before_it_runs():
    with pytest.raises(
        ConfigError, match=r"stages.grpo.handoff is 'continue', but the backbone trains all its weights"
    ):
        load(QUICKSTART, Experiment, ["stages.grpo.handoff=continue"])
    overrides = ["backbone=hf:somewhere", "stages.grpo.handoff=continue"]
    assert load(QUICKSTART, Experiment, overrides).value.stages[1].to_dict()["handoff"] == "continue"
    with pytest.raises(ConfigError, match=r"stages.sft.handoff is 'merge', but no stage before trained an adapter"):
        load(QUICKSTART, Experiment, ["backbone=hf:somewhere", "stages.sft.handoff=merge"])


def test_after_a_merge_there_is_nothing_to_continue():
    def stage(name: str, handoff: str) -> Spec:
        return Spec("stages", name, LoopConfig.model_validate({"handoff": handoff}))

    assert handoff_problems([stage("a", "fresh"), stage("b", "continue"), stage("c", "merge")], adapters=True) == []
    [problem] = handoff_problems([stage("a", "fresh"), stage("b", "merge"), stage("c", "continue")], adapters=True)
    assert problem.startswith("stages.c.handoff is 'continue', but no stage before trained an adapter")
