"""`r2rec init`: an experiment of your own to start from, or a copy of those that come with the package."""

from __future__ import annotations

import re
import shutil
import sys
from enum import StrEnum
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Annotated, cast

import typer

from r2rec_bench.cli.complete import component_names

if TYPE_CHECKING:
    from r2rec_bench.llm.base import Backbone

DATA, BACKBONE = "movielens-1m", "nano"
"""Chosen where nobody says otherwise."""
_TEMPLATE = Path(__file__).with_name("init.template")
_EXAMPLES = ("experiments", "ablations")


class Budget(StrEnum):
    """How much of everything an experiment takes."""

    trial = "trial"
    small = "small"
    full = "full"


_NANO = {
    "backbone_says": "A stand-in of 0.12 M parameters for a laptop. It is no LLM: for one put hf:FOLDER or hf:HUB-ID.",
    "lr": "3.0e-3",
    "batch": "32",
    "grpo_lr": "1.0e-4",
    "prompts": "16",
    "checkpointing": "false",
}
_NANO_SIZES = {
    Budget.trial: {"users": "30", "questions": "300", "epochs": "1", "steps": "2"},
    Budget.small: {"users": "1000", "questions": "30000", "epochs": "1", "steps": "30"},
    Budget.full: {"users": "null", "questions": "240000", "epochs": "1", "steps": "240"},
}
"""`small` is the quickstart's."""
_LLM = {
    "backbone_says": "A chat model with LoRA adapters. Settings: r2rec show backbones hf. It wants a GPU.",
    "lr": "1.0e-4",
    "batch": "16",
    "grpo_lr": "1.0e-6",
    "prompts": "8",
    "checkpointing": "true",
}
_LLM_SIZES = {
    Budget.trial: {"users": "5", "questions": "64", "epochs": "1", "steps": "2"},
    Budget.small: {"users": "200", "questions": "4000", "epochs": "1", "steps": "60"},
    Budget.full: {"users": "1000", "questions": "20000", "epochs": "1", "steps": "250"},
}

FILE = Annotated[Path, typer.Argument(help="The experiment to write; it must not exist yet.")]
OF_DATA = Annotated[
    str | None,
    typer.Option(
        "--data",
        help=f"A data source, see `r2rec list sources`; {DATA} where nothing is said.",
        autocompletion=component_names("sources"),
    ),
]
OF_BACKBONE = Annotated[
    str | None,
    typer.Option(
        "--backbone",
        help=f"A chat model, hf:FOLDER or hf:HUB-ID; {BACKBONE} where nothing is said.",
        autocompletion=component_names("backbones"),
    ),
]
OF_BUDGET = Annotated[
    Budget | None,
    typer.Option(
        "--budget",
        help="How much of everything: a trial that shows that it runs; the quickstart's size, where nothing is said; "
        "or all users and four times the questions.",
    ),
]
EXAMPLES = Annotated[
    Path | None,
    typer.Option(
        "--examples", help="Instead copy the package's own experiments and ablations into a folder.", metavar="FOLDER"
    ),
]


def init(
    file: FILE = Path("experiment.yaml"),
    data: OF_DATA = None,
    backbone: OF_BACKBONE = None,
    budget: OF_BUDGET = None,
    examples: EXAMPLES = None,
) -> None:
    """Write a commented experiment for your data, backbone and budget; nothing is ever overwritten.

    In a terminal it asks for what no option says.
    """
    if examples is not None:
        copy_examples(examples)
        typer.echo(f"Copied {' and '.join(_EXAMPLES)}. Next: r2rec run {examples / 'experiments' / 'quickstart.yaml'}")
        return
    _refuse_existing(file)
    if may_ask():
        data = data or typer.prompt("Data set, of those that `r2rec list sources` has", DATA, err=True)
        backbone = backbone or typer.prompt("Backbone, nano or hf:FOLDER", BACKBONE, err=True)
        budget = budget or typer.prompt(f"Budget, {', '.join(Budget)}", Budget.small.value, type=Budget, err=True)
    text = written(file, data or DATA, backbone or BACKBONE, budget or Budget.small)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("x", encoding="utf-8") as stream:
        stream.write(text)
    typer.echo(f"Wrote {file}. Next: r2rec run {file}")


def written(file: Path, data: str, backbone: str, budget: Budget) -> str:
    """The experiment as text.

    Args:
        file: where it will stand; gives it its name.
        data: a source, with its argument where it takes one.
        backbone: likewise.
        budget: how much of everything.

    Raises:
        ConfigError: there is no such source or backbone, or the parts do not go together.
    """
    import yaml

    from r2rec_bench.core.config import validate
    from r2rec_bench.core.describe import in_yaml
    from r2rec_bench.core.registry import registry
    from r2rec_bench.experiment import Experiment
    from r2rec_bench.prompts.compact import Compact

    chosen = cast("type[Backbone]", registry("backbones").get(backbone.partition(":")[0]))
    compact = chosen.wording == Compact.name
    text = Template(_TEMPLATE.read_text("utf-8")).substitute(
        _NANO if compact else _LLM,
        **(_NANO_SIZES if compact else _LLM_SIZES)[budget],
        file=file,
        name=re.sub(r"[^a-z0-9._-]+", "-", file.stem.lower()).strip("._-") or "experiment",
        question=in_yaml(f"What does R2Rec with {backbone} gain on {data}?"),
        data=in_yaml(data),
        backbone=in_yaml(backbone),
    )
    validate(Experiment, yaml.safe_load(text), str(file))
    return text


def copy_examples(folder: Path) -> None:
    """Copies the package's experiments and ablations into `folder`.

    Raises:
        InputError: one of them is there already.
    """
    for name in _EXAMPLES:
        _refuse_existing(folder / name)
    for name in _EXAMPLES:
        shutil.copytree(_shipped() / name, folder / name)


def may_ask() -> bool:
    """Whether somebody sits at a terminal who can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _refuse_existing(path: Path) -> None:
    from r2rec_bench.core.errors import InputError

    if path.exists():
        raise InputError(f"{path} exists, and nothing is overwritten; name another place, or move it away")


def _shipped() -> Path:
    """Where experiments and ablations lie: in an installed package within it, in a checkout beside it."""
    package = Path(__file__).parents[1]
    inside = package / "shipped"
    return inside if inside.is_dir() else package.parent
