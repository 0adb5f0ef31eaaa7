"""Item-based nearest neighbours over co-counts."""

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


class ItemKNNConfig(Config):
    """Settings of ItemKNN.

    Attributes:
        shrinkage: added to both items' counts, so that few co-occurrences of two rare items weigh little.
        k: neighbours kept per candidate, and those that tie with the last of them; all when not given.
    """

    shrinkage: Annotated[float, Field(ge=0), Tune(1, 100, log=True)] = 10.0
    k: Annotated[int, Field(ge=1), Tune(5, 500, log=True)] | None = None


@baselines.register("item_knn")
class ItemKNN(ItemToItem):
    """Similarity of two items = people who did both / sqrt((n_i + shrinkage)(n_j + shrinkage)), summed over history.

    Source: Deshpande and Karypis, "Item-based top-N recommendation algorithms" (TOIS 2004), cosine similarity,
    with the shrinkage inside the norms.
    """

    config: ItemKNNConfig

    def weights(self, matrix: sparse.csr_array) -> FloatArray:
        similarity = (matrix.T @ matrix).toarray()
        # At least 1, which only matters to items that nobody touched: 0 / 1 and not 0 / 0 without shrinkage.
        norm = np.sqrt(np.maximum(np.diag(similarity) + self.config.shrinkage, 1.0))
        np.fill_diagonal(similarity, 0.0)
        similarity /= norm[:, None]
        similarity /= norm
        if self.config.k is not None and self.config.k < len(similarity):
            kth = np.partition(similarity, -self.config.k, axis=0)[-self.config.k]
            similarity[similarity < kth] = 0.0
        return similarity
