"""ALS: implicit-feedback matrix factorisation by alternating least squares."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from r2rec_baselines.factorization import Factorization, FactorModel
from r2rec_bench.core.config import Config, Tune
from r2rec_bench.core.seeds import generator
from r2rec_bench.evaluation.base import baselines


class ALSConfig(Config):
    """Settings of ALS.

    Attributes:
        factors: length of a user's and an item's vector.
        regularization: weight of their squared norms.
        alpha: confidence in an interaction; an absent one has 1.
        iterations: passes over users and items.
    """

    factors: Annotated[int, Field(ge=1), Tune(16, 256, log=True)] = 64
    regularization: Annotated[float, Field(ge=0), Tune(0.001, 10, log=True)] = 0.1
    alpha: Annotated[float, Field(gt=0), Tune(1, 40, log=True)] = 5.0
    iterations: Annotated[int, Field(ge=1), Tune(5, 50)] = 15


@baselines.register("als")
class ALS(Factorization):
    """Weighted least squares on all user-item pairs, interactions weighing more (library `implicit`).

    Source: Hu, Koren and Volinsky, "Collaborative Filtering for Implicit Feedback Datasets" (ICDM 2008).
    """

    config: ALSConfig

    def model(self, seed: int) -> FactorModel:
        from implicit.als import AlternatingLeastSquares

        return AlternatingLeastSquares(
            **self.config.model_dump(), use_gpu=False, random_state=generator(seed, "baseline", "als")
        )
