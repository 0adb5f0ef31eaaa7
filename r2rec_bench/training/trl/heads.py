"""What TRL puts through a model's last layer, where it makes log-probabilities of hidden states."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


@contextmanager
def completions_alone() -> Generator[None]:
    """Inside, on a CPU too, only labelled tokens are scored, as TRL does on a GPU.

    Elsewhere it scores prompts and padding as well and throws the figures away, so that tensors keep their shape for
    devices that compile. A CPU gains nothing by it, and a small model's step is a quarter longer. TRL has no setting
    for it: it asks a function of its own module, `_use_triton`, and nothing else.
    """
    from trl.trainer import utils

    library: Any = utils
    # Where another version has it no more, nothing is changed.
    usual = getattr(library, "_use_triton", _nowhere)

    def compact(device: torch.device) -> bool:
        return device.type == "cpu" or usual(device)

    library._use_triton = compact
    try:
        yield
    finally:
        library._use_triton = usual


def _nowhere(device: torch.device) -> bool:
    return False
