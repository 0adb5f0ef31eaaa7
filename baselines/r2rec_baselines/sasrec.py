"""SASRec: self-attention over the history."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from r2rec_baselines.sequential import Network, Sequential, SequentialConfig
from r2rec_bench.core.config import Tune
from r2rec_bench.evaluation.base import baselines


class SASRecConfig(SequentialConfig):
    """Settings of SASRec."""

    heads: Annotated[int, Field(ge=1), Tune(1, 4)] = 2
    """Heads of attention, between which the width is divided; where it does not divide it is rounded up until it does,
    so that a search may draw both."""


@baselines.register("sasrec")
class SASRec(Sequential):
    """A causal transformer over the last items, trained with the full softmax.

    As in the source but for the loss (see `Sequential`), and for the block, which is torch's: normalised before each of
    its two layers, and dropout on what they add, not within them.

    Source: Kang and McAuley, "Self-Attentive Sequential Recommendation" (ICDM 2018, arXiv 1808.09781).
    """

    config: SASRecConfig

    def network(self, n_tokens: int) -> Network:
        import torch
        from torch import nn

        config = self.config
        width = -(-config.width // config.heads) * config.heads
        layer = nn.TransformerEncoderLayer(
            width,
            config.heads,
            dim_feedforward=width,
            dropout=config.dropout,
            activation="relu",
            batch_first=True,
            norm_first=True,
        )
        # Within attention it would rule out the fused kernel, and in both places it cost more time than it gained.
        layer.self_attn.dropout = layer.dropout.p = 0.0
        tokens, places = nn.Embedding(n_tokens, width), nn.Embedding(config.window, width)
        for table in (tokens, places):
            nn.init.normal_(table.weight, std=0.02)
        norm = nn.LayerNorm(width)
        blocks = nn.TransformerEncoder(layer, config.layers, norm, enable_nested_tensor=False)
        dropout = nn.Dropout(config.dropout)

        def states(read: torch.Tensor) -> torch.Tensor:
            length = read.shape[1]
            mask = nn.Transformer.generate_square_subsequent_mask(length, device=read.device)
            return blocks(dropout(tokens(read) + places.weight[:length]), mask=mask, is_causal=True)

        return Network(tokens, nn.ModuleList([tokens, places, dropout, blocks]), states)
