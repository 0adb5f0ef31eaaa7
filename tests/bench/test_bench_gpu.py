"""The GPU's bench with tiny sizes on a CPU: every figure is there, and the training is an ordinary command."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from r2rec_bench.bench.gpu import __main__ as bench
from r2rec_bench.bench.gpu.flops import flops_per_token, peak_flops
from r2rec_bench.bench.gpu.models import FULL, TINY
from r2rec_bench.cli.app import app
from r2rec_bench.core.errors import InputError
from r2rec_bench.core.loading import load, load_all
from r2rec_bench.experiment import Experiment

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _in_a_checkout(monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("R2REC_CACHE", str(tmp_path / "cache"))


def command() -> typer.Typer:
    made = typer.Typer()
    made.command()(bench.gpu)
    return made


@pytest.mark.slow
def test_both_models_are_measured_in_every_way(tmp_path):
    done = CliRunner().invoke(command(), ["speed", "--tiny", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    measured = json.loads((tmp_path / "bench.json").read_text())["gpu"]["measurements"]
    for model in ("from scratch", "Qwen2's shape"):
        kinds = [one["name"].removeprefix(f"{model}: ").split()[0] for one in measured if one["name"].startswith(model)]
        assert kinds == ["fine-tuning", "a", "a", "4", "4", "4", "8"]
    assert all(min(one["ours"]) > 0 for one in measured)
    assert [bool(one["plain"]) for one in measured] == ([False] * 6 + [True]) * 2
    assert "no target is judged by it" in (tmp_path / "report.md").read_text()


@pytest.mark.slow
def test_the_small_model_is_pretrained_once_and_trained_by_an_ordinary_command(tmp_path):
    arguments = bench.training(TINY, tmp_path)
    folder = next((tmp_path / "cache" / "bench-gpu").iterdir())
    made = (folder / "model.safetensors").stat().st_mtime_ns
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    report = (tmp_path / "nano-100m" / "report.md").read_text()
    assert "R2Rec (hf): sft + grpo" in report
    assert "no-rl" in report
    assert bench.training(TINY, tmp_path) == arguments
    assert (folder / "model.safetensors").stat().st_mtime_ns == made


def test_every_ablation_is_one_of_the_experiment():
    assert load(bench.EXPERIMENT, Experiment).value.backbone.settings.dtype == "bfloat16"
    for name in bench.ABLATIONS:
        for one in load_all(Path("ablations") / f"{name}.yaml", Experiment, instead=bench.EXPERIMENT):
            assert one.value.name != "nano-100m"
            assert one.value.backbone.settings.path == "weights/nano-100m"


def test_without_a_gpu_or_a_checkout_nothing_is_begun(monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "device", lambda: "")
    with pytest.raises(InputError, match=r"no GPU: .*--tiny"):
        bench.gpu(None, tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="in the folder of a checkout"):
        bench.gpu(None, tmp_path, tiny=True)


def test_the_full_sizes_are_those_promised():
    width, layers = FULL.shape.width, FULL.shape.layers
    small = layers * (4 * width**2 + 3 * width * 3 * width)
    assert 90e6 < small < 110e6
    c = FULL.chat
    wide, kv = c["hidden_size"], c["hidden_size"] * c["num_key_value_heads"] // c["num_attention_heads"]
    large = c["num_hidden_layers"] * (2 * wide**2 + 2 * wide * kv + 3 * wide * c["intermediate_size"])
    assert 3.0e9 < large + c["vocab_size"] * wide < 3.2e9


def test_flops_by_hand():
    # 6 for each of 100 weights; 12 for each of 2 layers, 8 wide, over 5 tokens.
    assert flops_per_token(100, 2, 8, 5.0, frozen=False) == 600 + 12 * 2 * 8 * 5
    assert flops_per_token(100, 2, 8, 5.0, frozen=True) == pytest.approx((600 + 960) * 2 / 3)


@pytest.mark.parametrize(
    ("name", "peak"),
    [
        ("NVIDIA H100 80GB HBM3", 989e12),
        ("NVIDIA H100 PCIe", 756e12),
        ("NVIDIA H200", 989e12),
        ("NVIDIA A100-SXM4-80GB", 312e12),
        ("Tesla T4", None),
    ],
)
def test_what_a_device_can_do(name, peak):
    assert peak_flops(name) == peak
