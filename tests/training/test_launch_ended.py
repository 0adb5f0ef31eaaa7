"""Processes that train together and are told to end: their last checkpoint is kept, and all go on from it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from r2rec_bench.core.unfinished import Unfinished
from r2rec_bench.llm.nano import Nano, NanoConfig
from r2rec_bench.training.launch import Launch, launched
from r2rec_bench.training.sft import Sft, SftConfig

TWO = Launch(use="accelerate", config=Path(__file__).parents[2] / "experiments" / "launch" / "two-cpus.yaml")


@pytest.mark.long
def test_processes_that_are_told_to_end_keep_what_they_have_first(nano_checkpoint, codes, context, tmp_path):
    unfinished = Unfinished(tmp_path / "unfinished")
    whole = context(Nano(NanoConfig(weights=nano_checkpoint.path)))

    def run(name: str, last: int = 0) -> list[int]:
        """The updates that were made; as if Ctrl-C came when it is told of the last."""
        made: list[int] = []

        def report(step: int, steps: int, figures: Mapping[str, float]) -> None:
            made.append(step)
            if step == last:
                raise KeyboardInterrupt

        (tmp_path / name).mkdir()
        stage = Sft(SftConfig(lr=1e-3, batch_size=2, epochs=4))
        told = replace(whole, report=report, unfinished=unfinished)
        launched(TWO, stage, nano_checkpoint, codes, tmp_path / name, told)
        return made

    with pytest.raises(KeyboardInterrupt):
        run("ended", 2)
    kept = unfinished.newest("update-")
    assert kept is not None  # though ten minutes are not over
    assert run("resumed")[0] == int(kept.name.removeprefix("update-")) + 1
    unfinished.clear()
    assert run("undisturbed") == list(range(1, 129))
    one, other = (tmp_path / name / "model.safetensors" for name in ("resumed", "undisturbed"))
    assert one.read_bytes() == other.read_bytes()
