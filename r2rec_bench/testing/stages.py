"""What every training stage promises, shown on a model of a few thousand weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from r2rec_bench.core.types import Float32Array
from r2rec_bench.llm.base import Checkpoint
from r2rec_bench.prompts.progressive_mask import ProgressiveMask
from r2rec_bench.prompts.wordings import WORDINGS
from r2rec_bench.testing.comparing import folder_digest, require_same, told
from r2rec_bench.testing.contract import require
from r2rec_bench.testing.every import contract
from r2rec_bench.testing.models import small_backbones
from r2rec_bench.testing.questions import OUTCOMES, traces
from r2rec_bench.training.base import Stage, StageContext, StageResult

# Training libraries seed the global generators for everybody.
CONTRACT = contract("stages", Stage, spares_randomness=False)
_TRACES = 16


@dataclass(frozen=True, slots=True, eq=False)
class _Trained:
    """What a run left behind.

    Attributes:
        result: what the stage says of it.
        weights: of the new checkpoint, by name.
        unchanged: whether start folder and traces are as they were.
        reported: (step, steps) as progress told them.
    """

    result: StageResult
    weights: Mapping[str, Float32Array]
    names: frozenset[str]
    unchanged: bool
    reported: list[tuple[int, int]]


@CONTRACT.rule
def training_keeps_its_promises(stage: Stage) -> None:
    """A stage writes a plain Hugging Face folder that loads, with the weights' names and shapes of its start and other
    values, leaves start folder and traces as they were byte for byte, logs finite figures per step, and gives the same
    weights again under the same seed.
    """
    before = _weights(small_backbones()[0].checkpoint())
    once = _run(stage)
    require({"config.json", "model.safetensors", "tokenizer.json"} <= once.names, sorted(once.names), "a plain folder")
    require(once.unchanged, "a start folder or traces that were changed", "every byte as it was")
    shapes = [{name: values.shape for name, values in weights.items()} for weights in (before, once.weights)]
    fresh = once.result.examples != _TRACES  # a stage that makes a model of its own may give it another shape
    require(shapes[0] == shapes[1] or fresh, f"weights {shapes[1]}", f"weights like those it started from, {shapes[0]}")
    moved = shapes[0] != shapes[1] or any(not np.array_equal(before[name], once.weights[name]) for name in before)
    require(moved, "the weights it started from", "weights that were trained")
    _require_log(once)
    again = _run(type(stage)(stage.config))
    require_same(dict(again.weights), dict(once.weights), "trained again under the same seed", "the same weights")


def _require_log(trained: _Trained) -> None:
    result = trained.result
    require(result.log, "an empty log", "a row per logged step")
    for row in result.log:
        wrong = [name for name, value in row.items() if not math.isfinite(value)]
        require(not wrong, f"{wrong[:1]} that is not finite at step {row.get('step')}", "finite figures")
        require({"step", "loss"} <= set(row), f"a row of {sorted(row)}", "step and loss at least")
    steps = [row["step"] for row in result.log]
    require(steps == sorted(set(steps)), f"steps {steps}", "ascending steps")
    require(result.examples > 0 and result.tokens > 0, f"{result.examples} examples, {result.tokens} tokens", "above 0")
    require(all(0 <= step <= n for step, n in trained.reported), f"progress {trained.reported}", "steps up to all")


def _run(stage: Stage) -> _Trained:
    backbone = small_backbones()[0]
    start, wording, strategy = backbone.checkpoint(), WORDINGS["compact"], ProgressiveMask()
    reported: list[tuple[int, int]] = []
    context = StageContext(
        backbone, strategy, wording, OUTCOMES, 0, lambda step, n, figures: reported.append((step, n))
    )
    given = traces(strategy, wording, _TRACES)
    before = (folder_digest(start.path), told(given))
    with TemporaryDirectory(prefix="r2rec-check-") as folder:
        result = stage.run(start, given, Path(folder), context)
        checkpoint = Checkpoint(Path(folder))
        names = frozenset(path.name for path in checkpoint.path.iterdir())
        unchanged = before == (folder_digest(start.path), told(given))
        return _Trained(replace(result), _weights(checkpoint), names, unchanged, reported)


def _weights(checkpoint: Checkpoint) -> dict[str, Float32Array]:
    """By name, of the model as transformers loads it."""
    from r2rec_bench.llm.base import LoadOptions
    from r2rec_bench.llm.loading import load_model

    model = load_model(checkpoint, LoadOptions())
    return {name: weight.detach().cpu().numpy().copy() for name, weight in model.state_dict().items()}
