"""Traces to learn from, and stages run on them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from r2rec_bench.core.texts import Prompt, Thought, Trace
from r2rec_bench.core.types import Query
from r2rec_bench.llm.base import Backbone, Checkpoint
from r2rec_bench.llm.nano import Nano, NanoConfig, NanoShape, new_model, new_tokenizer
from r2rec_bench.prompts.compact import Compact
from r2rec_bench.prompts.progressive_mask import ProgressiveMask
from r2rec_bench.prompts.verbose import Verbose
from r2rec_bench.prompts.wording import Wording
from r2rec_bench.prompts.wordings import wording_named
from r2rec_bench.training.base import Stage, StageContext, StageResult
from r2rec_bench.training.sft import Sft, SftConfig

Train = Callable[..., StageResult]
"""(stage, start, traces, empty folder, [backbone], [seed]); the backbone is nano where none is given."""


def context_of(backbone: Backbone, seed: int = 0, outcomes: tuple[int, ...] = (1, 2, 3, 4, 5)) -> StageContext:
    wording = wording_named(backbone.wording)
    return StageContext(backbone, ProgressiveMask(), wording, outcomes, seed, lambda step, steps, figures: None)


def traces_in(wording: Wording, n: int, outcomes: tuple[int, ...]) -> list[Trace]:
    """The answer is drawn, each thought forecasts the rating of its own piece, and the last piece gives the answer."""
    rng = np.random.default_rng(0)
    traces: list[Trace] = []
    for k in range(n):
        seen = [*rng.integers(1, 6, size=int(rng.integers(0, 3))).tolist(), int(rng.choice(outcomes))]
        pieces = tuple(f'#{step} r{rating or "-"} "Film {k}.{step}"' for step, rating in enumerate(seen, 1))
        prompt = Prompt("", f"u{k % 5} n{k % 7}", pieces, f"{wording.mask} rate think", wording.mask, 0, 30, outcomes)
        silent = [Thought(step, rating % 5 - 2, rating) for step, rating in enumerate(seen, 1)]
        thoughts = tuple(
            Thought(t.step, t.weight, t.forecast, wording.phrased(t, f'It was "Film {k}.{t.step}".')) for t in silent
        )
        completion = wording.complete(thoughts, seen[-1])
        traces.append(Trace(Query(k, 0, 0), k, prompt, thoughts, completion, seen[-1], tuple(seen)))
    return traces


@pytest.fixture(scope="session")
def context() -> Callable[..., StageContext]:
    return context_of


@pytest.fixture(scope="session")
def codes() -> list[Trace]:
    """In the compact wording, ratings only."""
    return traces_in(Compact(), 64, (1, 2, 3, 4, 5))


@pytest.fixture(scope="session")
def touches() -> list[Trace]:
    """In the compact wording, where the answer may be that there is none."""
    return traces_in(Compact(), 64, (0, 1, 2, 3, 4, 5))


@pytest.fixture(scope="session")
def sentences() -> list[Trace]:
    """In the verbose wording, ratings only."""
    return traces_in(Verbose(), 16, (1, 2, 3, 4, 5))


@pytest.fixture(scope="session")
def train() -> Train:
    def run(
        stage: Stage,
        start: Checkpoint,
        traces: Sequence[Trace],
        out: Path,
        backbone: Backbone | None = None,
        seed: int = 0,
    ) -> StageResult:
        out.mkdir()
        return stage.run(start, traces, out, context_of(backbone or Nano(NanoConfig(weights=start.path)), seed))

    return run


@pytest.fixture(scope="session")
def tuned_nano(tmp_path_factory: pytest.TempPathFactory, codes: list[Trace], train: Train) -> Checkpoint:
    """A small nano that has learnt the form of `codes` and something of their contents. Not to be written to."""
    folder = tmp_path_factory.mktemp("nano")
    new_model(NanoShape(width=32, layers=1, heads=2), seed=0).save_pretrained(folder / "new")
    new_tokenizer().save_pretrained(folder / "new")
    train(Sft(SftConfig(lr=2e-2, epochs=15, batch_size=16)), Checkpoint(folder / "new"), codes, folder / "tuned")
    return Checkpoint(folder / "tuned")
