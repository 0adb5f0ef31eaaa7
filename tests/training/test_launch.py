"""Stages in two processes of this machine: the same updates as in one, and what is told when they cannot be."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from r2rec_bench.core.config import Config, validate
from r2rec_bench.core.errors import ConfigError, InputError
from r2rec_bench.core.texts import Trace
from r2rec_bench.llm.base import Checkpoint, LoadOptions
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.llm.nano import Nano, NanoConfig
from r2rec_bench.training.base import Stage, StageContext, StageResult
from r2rec_bench.training.grpo import Grpo, GrpoConfig
from r2rec_bench.training.launch import Launch, launched
from r2rec_bench.training.sft import Sft, SftConfig
from r2rec_bench.training.trl.batches import IGNORED, collate, share_of
from r2rec_bench.training.trl.supervised import completion_loss

CONFIGURATIONS = Path(__file__).parents[2] / "experiments" / "launch"
TWO = Launch(use="accelerate", config=CONFIGURATIONS / "two-cpus.yaml")
TOLERANCE = 1e-5
"""Relative: two sums of float32 round otherwise than one, by some 1e-7, which AdamW may make larger."""


def weights(folder: Path) -> dict[str, np.ndarray]:
    from safetensors.numpy import load_file

    return load_file(folder / "model.safetensors")


def in_two(
    stage: Stage, start: Checkpoint, traces: Sequence[Trace], out: Path, context: StageContext
) -> tuple[StageResult, list[int]]:
    out.mkdir()
    steps: list[int] = []

    def report(step: int, total: int, figures: Mapping[str, float]) -> None:
        steps.append(step)
        assert step <= total
        assert figures["tokens_per_second"] > 0

    return launched(TWO, stage, start, traces, out, replace(context, report=report)), steps


@pytest.mark.slow
@pytest.mark.parametrize("packing", [False, pytest.param(True, marks=pytest.mark.long)])
def test_two_processes_learn_what_one_does(nano_checkpoint, codes, train, context, tmp_path, *, packing: bool) -> None:
    """The same weights but for rounding, from batches that two do not share evenly: 5 rows, and 1 at an epoch's end."""
    stage, traces = Sft(SftConfig(lr=1e-3, batch_size=5, epochs=2, packing=packing)), codes[:11]
    one = train(stage, nano_checkpoint, traces, tmp_path / "one")
    backbone = Nano(NanoConfig(weights=nano_checkpoint.path))
    two, steps = in_two(stage, nano_checkpoint, traces, tmp_path / "two", context(backbone))
    assert steps == [row["step"] for row in one.log] == list(range(1, 7))
    assert two.examples == one.examples
    assert two.tokens == one.tokens + 4  # of whoever has no row, twice
    for name in ("loss", "grad_norm", "lr"):
        assert [row[name] for row in two.log] == pytest.approx([row[name] for row in one.log], rel=TOLERANCE)
    alone, together, before = weights(tmp_path / "one"), weights(tmp_path / "two"), weights(nano_checkpoint.path)
    for name, value in alone.items():
        assert np.linalg.norm(together[name] - value) <= TOLERANCE * np.linalg.norm(value)
    assert max(np.abs(alone[name] - before[name]).max() for name in alone) > 1e-3


@pytest.mark.slow
def test_two_processes_write_and_are_rewarded(tuned_nano, codes, context, tmp_path) -> None:
    stage = Grpo(GrpoConfig(lr=1e-3, steps=2, prompts=4, group=4, max_completion=12))
    backbone = Nano(NanoConfig(weights=tuned_nano.path))
    result, steps = in_two(stage, tuned_nano, codes[:8], tmp_path / "out", context(backbone))
    assert steps == [1, 2]
    assert result.examples == 8
    assert all(0 <= row["reward"] <= 2 and 0 <= row["zero_variance"] <= 1 for row in result.log)
    after, before = weights(tmp_path / "out"), weights(tuned_nano.path)
    assert any(not np.array_equal(after[name], before[name]) for name in before)
    with pytest.raises(InputError, match=r"grpo\.prompts: 3 per pass .* 2 processes; use a multiple of 2, e\.g\. 4"):
        in_two(Grpo(GrpoConfig(steps=1, prompts=3)), tuned_nano, codes[:8], tmp_path / "odd", context(backbone))


def test_shares_make_up_the_batch() -> None:
    batch = [{"input_ids": [k] * k, "prompt_length": k - 1} for k in range(2, 7)]
    shares = [share_of(process, 4, collate)(batch) for process in range(4)]
    assert [share["labels"][:, -1].tolist() for share in shares] == [[2, 3], [4, 5], [6], [IGNORED]]
    assert all((share["labels"][:, :-1] == IGNORED).all() for share in shares)


def test_a_share_without_labels_has_a_loss_of_nothing(nano_checkpoint) -> None:
    model = LanguageModel.load(nano_checkpoint, LoadOptions()).model
    inputs = share_of(1, 2, collate)([{"input_ids": [5, 6, 7], "prompt_length": 1}])
    loss = completion_loss(model, inputs, inputs.pop("labels"), 4)
    loss.backward()
    assert loss.item() == 0
    assert all(parameter.grad is not None and not parameter.grad.any() for parameter in model.parameters())


class _Launched(Config):
    launch: Launch | None = None


def test_a_launch_is_a_name_with_a_file() -> None:
    told = {"use": "accelerate", "config": "a.yaml"}
    assert validate(_Launched, {"launch": "accelerate:a.yaml"}, "x").launch == Launch.model_validate(told)
    assert validate(_Launched, {"launch": "accelerate"}, "x").launch == Launch(use="accelerate")
    with pytest.raises(ConfigError, match="accelerat"):
        validate(_Launched, {"launch": "acelerate"}, "x")


@pytest.mark.parametrize(
    ("file", "kind"), [("two-cpus", "MULTI_CPU"), ("multi-gpu", "MULTI_GPU"), ("fsdp", "FSDP")], ids=lambda value: value
)
def test_what_is_shipped_is_read_by_accelerate(file: str, kind: str) -> None:
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser

    path = CONFIGURATIONS / f"{file}.yaml"
    launch = Launch(use="accelerate", config=path)
    assert launch.recipe()["distributed_type"] == kind
    assert launch.recipe()["num_processes"] == 2
    assert "main_process_port" not in launch.recipe()
    arguments, _, _ = _validate_launch_command(launch_command_parser().parse_args(["--config_file", str(path), "x.py"]))
    assert arguments.multi_gpu == (kind == "MULTI_GPU")
    assert arguments.use_fsdp == (kind == "FSDP")


def test_every_shipped_configuration_is_tested() -> None:
    assert sorted(path.stem for path in CONFIGURATIONS.iterdir()) == ["fsdp", "multi-gpu", "two-cpus"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("MULTI_CPU", "XLA"), "distributed_type is XLA; expected one of MULTI_CPU, MULTI_GPU, FSDP"),
        (("num_machines: 1", "num_machines: 2"), "num_machines is 2; a stage is trained on one machine"),
        (("num_processes: 2", "num_processes: 1"), "num_processes is 1; expected at least 2"),
        (("debug", "debugg"), r"does not read .*debugg"),
    ],
    ids=["kind", "machines", "processes", "key"],
)
def test_other_configurations_are_refused(change: tuple[str, str], told: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text((CONFIGURATIONS / "two-cpus.yaml").read_text("utf-8").replace(*change))
    with pytest.raises(InputError, match=told) as caught:
        Launch(use="accelerate", config=path).recipe()
    assert str(path) in str(caught.value)


def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no file .*none\.yaml; see experiments/launch"):
        Launch(use="accelerate", config=tmp_path / "none.yaml").recipe()
