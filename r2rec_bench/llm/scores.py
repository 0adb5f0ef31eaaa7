"""What a model says of answers of one token each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from r2rec_bench.core.types import BoolArray, FloatArray

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True, eq=False)
class OutcomeScores:
    """What the model says at the answer's place.

    Attributes:
        log_probabilities: float64 (n, outcomes), log p of each outcome token among all tokens.
        valid: bool (n,), whether the likeliest of all tokens is one of the outcomes.
    """

    log_probabilities: FloatArray
    valid: BoolArray


class Scores:
    """Gathers what is said of one-token answers, `ids`, about `n` prompts."""

    def __init__(self, n: int, ids: Sequence[int]) -> None:
        self._ids = list(ids)
        self.all = OutcomeScores(np.empty((n, len(ids))), np.empty(n, dtype=np.bool_))

    def add(self, rows: Sequence[int], logits: torch.Tensor) -> None:
        """Those of `rows`, by the logits of all tokens, (rows, vocabulary)."""
        log_p = logits.log_softmax(-1)
        said = log_p[:, self._ids].double().cpu().numpy()
        self.all.log_probabilities[rows] = said
        # Where a model's numbers have broken, the largest of them is any token.
        self.all.valid[rows] = np.isin(log_p.argmax(-1).cpu().numpy(), self._ids) & ~np.isnan(said).any(axis=1)
