"""Seeded sampling whose draws belong to a prompt: batches, their order and the machine do not change them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from r2rec_bench.core.seeds import generator

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Sampling:
    """Tokens drawn from the softmax at a temperature.

    Each prompt has one uniform number per token, derived from the seed and its own token ids, and the token drawn is
    the one in whose share of the cumulated softmax the number falls. Only where rounding moves the edge of a share
    across the number can another batch give another token.

    Attributes:
        temperature: above 0; 1 samples the model's own distribution.
        seed: another seed gives other draws; the same prompt twice under one seed gives the same draw.
    """

    temperature: float
    seed: int

    def numbers(self, prompts: Sequence[Sequence[int]], max_new_tokens: int) -> torch.Tensor:
        """The uniform numbers of each prompt, float64 (b, max_new_tokens) in [0, 1)."""
        import torch

        return torch.tensor(
            np.array([generator(self.seed, "sampling", *ids).random(max_new_tokens) for ids in prompts])
        )

    def choose(self, scores: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
        """The tokens in whose shares the numbers fall, int64 (b,).

        Args:
            scores: logits, (b, vocabulary).
            numbers: float64 (b,).
        """
        import torch

        shares = (scores.double() / self.temperature).softmax(-1).cumsum(-1)
        places = numbers[:, None].to(shares.device) * shares[:, -1:]
        return torch.searchsorted(shares, places, right=True)[:, 0].clamp(max=shares.shape[-1] - 1)

    def processor(
        self, prompts: Sequence[Sequence[int]], max_new_tokens: int, begun: int
    ) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
        """For transformers' greedy search, leaves the token drawn as the only one possible.

        Args:
            prompts: token ids of the batch, (b,) of any lengths.
            max_new_tokens: most tokens drawn.
            begun: length of the batch before the first of them.
        """
        import torch

        numbers = self.numbers(prompts, max_new_tokens)

        def draw(ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
            chosen = self.choose(scores, numbers[:, ids.shape[1] - begun])
            return torch.full_like(scores, -torch.inf).scatter(1, chosen[:, None], 0.0)

        return draw
