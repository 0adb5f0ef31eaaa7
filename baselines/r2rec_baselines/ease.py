"""EASE: linear autoencoder with a closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from r2rec_baselines.item_to_item import ItemToItem
from r2rec_bench.core.config import Config, Tune
from r2rec_bench.core.types import FloatArray
from r2rec_bench.evaluation.base import baselines

if TYPE_CHECKING:
    from scipy import sparse


class EASEConfig(Config):
    """Settings of EASE.

    Attributes:
        l2: weight of the squared norm of the weights; larger for denser data (500 suits ml-1m, 100 smaller sets).
    """

    l2: Annotated[float, Field(gt=0), Tune(1, 10_000, log=True)] = 500.0


@baselines.register("ease")
class EASE(ItemToItem):
    """Each item's column regressed on all others: with P = (X'X + l2 I)^-1, weights are -P_ij / P_jj off the diagonal.

    Source: Steck, "Embarrassingly Shallow Autoencoders for Sparse Data" (WWW 2019), equation 8.
    """

    config: EASEConfig

    def weights(self, matrix: sparse.csr_array) -> FloatArray:
        gram = (matrix.T @ matrix).toarray()
        gram[np.diag_indices_from(gram)] += self.config.l2
        precision = np.linalg.inv(gram)
        precision /= -np.diag(precision)
        np.fill_diagonal(precision, 0.0)
        return precision
