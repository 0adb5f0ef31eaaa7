"""Settings of the optimiser that every stage shares."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from r2rec_bench.core.config import Config, Tune


class LoopConfig(Config):
    """How weights are updated: AdamW, warmed up, gradients clipped."""

    lr: Annotated[float, Field(gt=0, lt=1), Tune(1e-6, 1e-2, log=True)] = 2e-4
    """Peak learning rate."""
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.03
    """Share of all steps over which the learning rate rises to its peak."""
    scheduler: Literal["constant", "linear", "cosine"] = "cosine"
    """How the learning rate falls after the warm-up."""
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.0
    max_grad_norm: Annotated[float, Field(ge=0)] = 1.0
    """Gradients are scaled down to this norm; 0 leaves them as they are."""
    gradient_accumulation: Annotated[int, Field(ge=1)] = 1
    """Passes that one update is made of: less memory, the same result."""
    gradient_checkpointing: bool = False
    """Compute activations again instead of keeping them: less memory, about a third slower."""
