"""GRU4Rec: a recurrent network over the history."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from r2rec_baselines.sequential import Network, Sequential, SequentialConfig
from r2rec_bench.core.config import Tune
from r2rec_bench.evaluation.base import baselines


class GRU4RecConfig(SequentialConfig):
    """Settings of GRU4Rec."""

    layers: Annotated[int, Field(ge=1), Tune(1, 3)] = 1
    state: Annotated[int, Field(ge=1), Tune(64, 512, log=True)] = 128
    """Length of the recurrent state, from which a linear map leads back to the width of items."""


@baselines.register("gru4rec")
class GRU4Rec(Sequential):
    """Gated recurrent units over the last items, trained with the full softmax on whole windows.

    Source: Hidasi et al., "Session-based Recommendations with Recurrent Neural Networks" (ICLR 2016, arXiv
    1511.06939); items read and predicted by the same vectors, and cross-entropy: Hidasi and Karatzoglou, "Recurrent
    Neural Networks with Top-k Gains for Session-based Recommendations" (CIKM 2018, arXiv 1706.03847).
    """

    config: GRU4RecConfig

    def network(self, n_tokens: int) -> Network:
        import torch
        from torch import nn

        config = self.config
        tokens, dropout = nn.Embedding(n_tokens, config.width), nn.Dropout(config.dropout)
        nn.init.normal_(tokens.weight, std=0.02)
        between = config.dropout if config.layers > 1 else 0.0
        gru = nn.GRU(config.width, config.state, config.layers, batch_first=True, dropout=between)
        out = nn.Sequential(dropout, nn.Linear(config.state, config.width), nn.LayerNorm(config.width))

        def states(read: torch.Tensor) -> torch.Tensor:
            recurrent, _ = gru(dropout(tokens(read)))
            return out(recurrent)

        return Network(tokens, nn.ModuleList([tokens, gru, out]), states)
