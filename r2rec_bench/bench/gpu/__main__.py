"""`python -m r2rec_bench.bench.gpu`: measure two models on one GPU, then train the smaller one with its ablations.

What is done is kept: stopped, the same command goes on. No network is needed once the data are there.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

import r2rec_bench.bench.gpu as room
from r2rec_bench.bench.base import Measurement
from r2rec_bench.bench.gpu.models import FULL, TINY, Load, Sizes, write_chat, write_nano
from r2rec_bench.bench.gpu.speed import Timed, device
from r2rec_bench.bench.report import REPORT, Group, save
from r2rec_bench.core.environment import capture
from r2rec_bench.core.errors import InputError, R2RecError
from r2rec_bench.core.loading import load
from r2rec_bench.core.paths import cache_root
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.core.types import NONE_RATING, RATINGS
from r2rec_bench.core.watch import Silent
from r2rec_bench.experiment import Experiment
from r2rec_bench.llm.base import Checkpoint
from r2rec_bench.llm.hf import HfConfig, HuggingFace
from r2rec_bench.llm.nano import WEIGHTS
from r2rec_bench.pipeline import Pipeline
from r2rec_bench.prompts.compact import Compact
from r2rec_bench.prompts.progressive_mask import ProgressiveMask
from r2rec_bench.training.base import StageContext
from r2rec_bench.training.pretrain import Pretrain, PretrainConfig

EXPERIMENT = Path("experiments/gpu/nano-100m.yaml")
ABLATIONS = ("no-rl", "no-sft", "no-reasoning", "one-shot-mask", "no-chains")


class Part(StrEnum):
    """What there is to do."""

    speed = "speed"
    train = "train"


def gpu(
    parts: Annotated[list[Part] | None, typer.Argument(help="Both without one.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the reports.")] = Path("reports/bench-gpu"),
    tiny: Annotated[bool, typer.Option("--tiny", help="Sizes for a CPU, to see that everything works.")] = False,
) -> None:
    """Measure two models on one GPU, and train the smaller one on MovieLens-1M with its ablations."""
    if not tiny and not device():
        raise InputError("no GPU: run this where there is one, or try it with --tiny")
    if not EXPERIMENT.is_file():
        raise InputError(f"no {EXPERIMENT}: run this in the folder of a checkout")
    sizes = TINY if tiny else FULL
    for part in parts or Part:
        typer.echo(f"{part.value} ...")
        if part is Part.speed:
            start, waiting = time.perf_counter(), os.getloadavg()[0]
            measurements = tuple(_speeds(sizes))
            about = " ".join((room.__doc__ or "").split())
            command = "python -m r2rec_bench.bench.gpu speed" + " --tiny" * tiny
            taken = time.perf_counter() - start
            group = Group(about, command, sizes.scale, capture(), waiting, taken, measurements)
            save(out, {"gpu": group})
            typer.echo(str(out / REPORT))
        else:
            run = "import sys; from r2rec_bench.cli import main; sys.argv[0] = 'r2rec'; main()"
            done = subprocess.run([sys.executable, "-c", run, *training(sizes, out)], check=False)  # noqa: S603
            raise typer.Exit(done.returncode)


def _speeds(sizes: Sizes) -> Iterator[Measurement]:
    with TemporaryDirectory() as place:
        small, large = Path(place) / "small", Path(place) / "large"
        small.mkdir()
        large.mkdir()
        write_nano(small, sizes)
        lean = f"backbone={{use: hf, path: {small}, dtype: {sizes.dtype}, adapter: null}}"
        pipeline = _pipeline(sizes, sizes.small, lean, "prompts.wording=compact")
        write_chat(large, sizes, pipeline.dataset.catalog.titles)
        adapted = f"backbone={{use: hf, path: {large}, dtype: {sizes.dtype}}}"
        models = {
            "from scratch": (pipeline, sizes.small),
            "Qwen2's shape": (_pipeline(sizes, sizes.large, adapted, "prompts.wording=verbose"), sizes.large),
        }
        for title, (asked, load_) in models.items():
            for one in Timed(title, asked, load_).measure():
                typer.echo(f"  {one.name}: {one.value:,.4g} {one.unit}")
                yield one


def _pipeline(sizes: Sizes, asked: Load, *overrides: str) -> Pipeline:
    lessons = max(asked.batch, asked.prompts) * asked.steps
    few = (f"queries.n={lessons}", f"candidates.users={asked.users}")
    experiment = load(EXPERIMENT, Experiment, (*sizes.overrides, *overrides, *few)).value
    return Pipeline(experiment, ArtifactStore(cache_root() / "artifacts"), Silent())


def training(sizes: Sizes, out: Path) -> list[str]:
    """The arguments of `r2rec` that train the from-scratch model and its ablations; it is pretrained first."""
    folder = cache_root() / "bench-gpu" / f"nano-{sizes.shape.width}-{sizes.shape.layers}"
    if not folder.is_dir():
        pretrain(folder, sizes)
    chosen = ABLATIONS[:1] if sizes is TINY else ABLATIONS
    changes = (*sizes.overrides, *sizes.training, f"backbone.path={folder}", f"backbone.dtype={sizes.dtype}")
    return [
        "run",
        str(EXPERIMENT),
        *(f"ablations/{name}.yaml" for name in chosen),
        *(text for change in changes for text in ("--set", change)),
        *("--name", "nano-100m", "--out", str(out)),
    ]


def pretrain(folder: Path, sizes: Sizes) -> None:
    """The from-scratch model, taught to read chains on generated worlds, into `folder`."""
    backbone = HuggingFace(HfConfig(path=str(WEIGHTS), dtype=sizes.dtype, adapter=None))
    outcomes = (NONE_RATING, *RATINGS)

    def told(step: int, steps: int, figures: object) -> None:
        if step % max(1, steps // 10) == 0:
            typer.echo(f"  pretrain {step}/{steps} {figures}")

    context = StageContext(backbone, ProgressiveMask(), Compact(), outcomes, 0, told)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent) as place:
        made = Path(place) / "made"
        made.mkdir()
        Pretrain(PretrainConfig(shape=sizes.shape, **sizes.pretrain)).run(Checkpoint(made), (), made, context)
        made.rename(folder)


def main() -> None:
    """Runs the command with the process's arguments."""
    try:
        typer.run(gpu)
    except R2RecError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
