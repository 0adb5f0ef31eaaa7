"""Texts of several lengths as one batch: padded on the left, so that all end in the same column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def padded(texts: Sequence[Sequence[int]], fill: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids, and a mask that is 1 where they count, both int64 (n, longest).

    Args:
        texts: token ids, (n,) of any lengths.
        fill: stands before the shorter ones; any id will do that is masked.
    """
    import torch

    width = max(map(len, texts))
    ids = torch.full((len(texts), width), fill)
    mask = torch.zeros((len(texts), width), dtype=torch.long)
    for row, text in enumerate(texts):
        ids[row, width - len(text) :] = torch.tensor(text)
        mask[row, width - len(text) :] = 1
    return ids, mask


def positions(mask: torch.Tensor) -> torch.Tensor:
    """Place of each token in its text, int64 (n, columns), by a mask that is 1 where they count."""
    return (mask.cumsum(-1) - 1).clamp(min=0)
