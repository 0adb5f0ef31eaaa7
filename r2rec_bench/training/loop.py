"""Settings of the optimiser that every stage shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from r2rec_bench.core.config import Config, Spec, Tune

Handoff = Literal["fresh", "continue", "merge"]


class LoopConfig(Config):
    """How weights are updated: AdamW, warmed up, gradients clipped."""

    handoff: Handoff = "fresh"
    """What becomes of the adapter that the stage before trained. `fresh`: it is merged, and a new one starts on top;
    `continue`: it is trained on, one adapter on the original weights in the end; `merge`: it is merged, and from there
    all weights are trained. A reference model is the checkpoint that the stage starts from, whichever it is."""
    lr: Annotated[float, Field(gt=0, lt=1), Tune(1e-6, 1e-2, log=True)] = 2e-4
    """Peak learning rate."""
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.03
    """Share of all steps over which the learning rate rises from 0 to its peak, reached by the last at the latest."""
    scheduler: Literal["constant", "linear", "cosine"] = "cosine"
    """How the learning rate falls after the warm-up."""
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.0
    max_grad_norm: Annotated[float, Field(ge=0)] = 1.0
    """Gradients are scaled down to this norm; 0 leaves them as they are."""
    gradient_accumulation: Annotated[int, Field(ge=1)] = 1
    """Passes that one update is made of: less memory, the same result."""
    gradient_checkpointing: bool = False
    """Compute activations again instead of keeping them: less memory, about a third slower."""


def handoff_problem(stage: str, handoff: Handoff, *, adapters: bool, inherited: bool) -> str:
    """Why a stage cannot hand off like this; empty where it can.

    Args:
        stage: its name, for the message.
        handoff: as set.
        adapters: whether the backbone trains adapters.
        inherited: whether the stage before trained one.
    """
    key = f"stages.{stage}.handoff is '{handoff}'"
    if handoff == "fresh":
        return ""
    if not adapters:
        return f"{key}, but the backbone trains all its weights and no adapter. Use fresh"
    if inherited:
        return ""
    if handoff == "merge":
        return (
            f"{key}, but no stage before trained an adapter. To train all weights, set the backbone's adapter to null"
        )
    return f"{key}, but no stage before trained an adapter. Use fresh"


def handoff_problems(stages: Sequence[Spec], *, adapters: bool) -> list[str]:
    """Why stages cannot follow each other as they are set, before any of them runs; `adapters` as above."""
    problems: list[str] = []
    inherited = False
    for stage in stages:
        if isinstance(stage.settings, LoopConfig):  # a plug-in's stage may train as it likes
            handoff = stage.settings.handoff
            problems.append(handoff_problem(stage.use, handoff, adapters=adapters, inherited=inherited))
            inherited = adapters and handoff != "merge"
    return [problem for problem in problems if problem]
