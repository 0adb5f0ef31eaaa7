"""Where memory is too short for a batch: smaller ones, more of them, and the same update."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from safetensors.numpy import load_file

from r2rec_bench.core.errors import R2RecError
from r2rec_bench.core.texts import Trace
from r2rec_bench.llm.base import Checkpoint
from r2rec_bench.llm.nano import Nano, NanoConfig
from r2rec_bench.training.base import Stage, StageResult
from r2rec_bench.training.dpo import Dpo, DpoConfig
from r2rec_bench.training.grpo import Grpo, GrpoConfig
from r2rec_bench.training.sft import Sft, SftConfig
from tests.memory import twice
from tests.training.conftest import context_of

Train = Callable[..., StageResult]


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[int]]:
    """Makes room for so many rows in a training pass; gives the rows of each that was tried."""

    def make(most: int) -> list[int]:
        import torch
        from transformers import Trainer

        tried: list[int] = []
        plain = Trainer.training_step

        def step(self, model, inputs, num_items_in_batch=None):
            tried.append(self.args.per_device_train_batch_size)
            if tried[-1] > most:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1.00 GiB.")
            return plain(self, model, inputs, num_items_in_batch)

        monkeypatch.setattr(Trainer, "training_step", step)
        return tried

    return make


def weights(folder: Path) -> dict[str, np.ndarray]:
    return load_file(folder / "model.safetensors")


@pytest.mark.slow
@pytest.mark.parametrize(
    "stage",
    [
        Sft(SftConfig(lr=1e-3, batch_size=8)),
        pytest.param(Sft(SftConfig(lr=1e-3, batch_size=8, packing=True)), marks=pytest.mark.long),
        pytest.param(Dpo(DpoConfig(lr=1e-3, batch_size=8)), marks=pytest.mark.long),
        pytest.param(Grpo(GrpoConfig(lr=1e-3, steps=2, prompts=4, group=2, max_completion=10)), marks=pytest.mark.long),
    ],
    ids=["sft", "packed", "dpo", "grpo"],
)
def test_smaller_batches_make_the_same_update(
    stage: Stage, nano_checkpoint: Checkpoint, codes: list[Trace], train: Train, tmp_path: Path, room, caplog
):
    whole = train(stage, nano_checkpoint, codes[:16], tmp_path / "whole")
    tried = room(2)
    parts = train(stage, nano_checkpoint, codes[:16], tmp_path / "parts")
    assert (tried[:3], set(tried[3:])) == ([8, 4, 2], {2})
    assert "memory is too short for 4 examples at a time; going on with 2, and 2 times as many passes" in caplog.text
    assert [row["step"] for row in parts.log] == [row["step"] for row in whole.log]
    assert [row["loss"] for row in parts.log] == pytest.approx([row["loss"] for row in whole.log], rel=1e-3, abs=1e-4)
    one, other = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    for name in one:
        np.testing.assert_allclose(one[name], other[name], atol=1e-3)


@pytest.mark.slow
def test_where_one_example_is_too_much_it_is_said(
    nano_checkpoint: Checkpoint, codes: list[Trace], train: Train, tmp_path: Path, room
):
    room(0)
    with pytest.raises(R2RecError, match=r"sft: memory is too short for one example at a time\. Use gradient_check"):
        train(Sft(SftConfig(batch_size=3)), nano_checkpoint, codes[:4], tmp_path / "out")


def tuned(start: Checkpoint, traces: Sequence[Trace]) -> tuple[StageResult, dict[str, np.ndarray]]:
    """Two updates, each from all traces at once if there is room."""
    stage, backbone = Sft(SftConfig(lr=1e-3, batch_size=32, epochs=2)), Nano(NanoConfig(weights=start.path))
    with TemporaryDirectory() as folder:
        return stage.run(start, traces, Path(folder), context_of(backbone)), weights(Path(folder))


@pytest.mark.slow
def test_where_the_system_gives_no_more_memory_the_updates_are_the_same(
    nano_checkpoint: Checkpoint, codes: list[Trace]
):
    traces = [replace(trace, prompt=replace(trace.prompt, head="u1 " * 900)) for trace in codes[:32]]
    (whole, one), (parts, other), said = twice(partial(tuned, nano_checkpoint, traces))
    assert "sft: memory is too short for 32 examples at a time; going on with 16, and 2 times as many passes" in said
    assert [row["loss"] for row in parts.log] == pytest.approx([row["loss"] for row in whole.log], rel=1e-3)
    for name in one:
        np.testing.assert_allclose(one[name], other[name], atol=1e-3)
