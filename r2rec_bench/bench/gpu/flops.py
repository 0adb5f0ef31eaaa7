"""What training needs and what devices can do, in floating-point operations."""

from __future__ import annotations

_PEAKS = {"H100 PCIe": 756e12, "H100 NVL": 835e12, "H100": 989e12, "H200": 989e12, "A100": 312e12}
"""Dense bfloat16 per second, from NVIDIA's data sheets; the first that a device's name contains."""


def peak_flops(device: str) -> float | None:
    """What a device can do per second in dense bfloat16; None where that is not known.

    Args:
        device: its name as CUDA says it.
    """
    return next((peak for name, peak in _PEAKS.items() if name in device), None)


def flops_per_token(parameters: int, layers: int, width: int, length: float, *, frozen: bool) -> float:
    """What one token costs in training, forward and backward.

    Args:
        parameters: of the model, embeddings included once where they are tied to the head.
        layers: of attention.
        width: heads times their dimension.
        length: mean length of a sequence in tokens.
        frozen: whether the weights stay and only an adapter learns: no gradients of weights, a third of all.

    Source: PaLM (arXiv 2204.02311), appendix B: 6 N + 12 L H Q T.
    """
    return (6 * parameters + 12 * layers * width * length) * (2 / 3 if frozen else 1)
