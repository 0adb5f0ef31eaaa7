"""`r2rec pretrain`: the weights of the embedded backbone, from nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

OUT = Annotated[Path, typer.Argument(help="Folder for the weights; it must not exist yet.", metavar="OUT")]
SET = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="See `r2rec show stages pretrain`.")]


def pretrain(
    out: OUT, set_: SET = None, seed: Annotated[int, typer.Option(min=0, help="Of worlds and first weights.")] = 0
) -> None:
    """Train a nano backbone on generated worlds; `backbone: {use: nano, weights: OUT}` then uses it.

    Without options this is how the weights in the package were made.
    """
    from r2rec_bench.cli.progress import watching
    from r2rec_bench.cli.settings import parse_settings
    from r2rec_bench.core.config import validate
    from r2rec_bench.core.errors import InputError
    from r2rec_bench.core.resources import measure
    from r2rec_bench.training.pretrain import PretrainConfig, write_weights

    if out.exists():
        raise InputError(f"{out} exists; name a folder that does not, so that no weights are lost")
    config = validate(PretrainConfig, parse_settings(set_ or []), "--set")
    with watching(quiet=False) as watcher, measure() as watch:
        watcher.begin("pretrain")
        write_weights(config, seed, out, watcher.progress)
    watcher.end("pretrain", watch.seconds, cached=False)
    typer.echo(f"Weights: {out}")
