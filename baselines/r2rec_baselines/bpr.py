"""BPR: matrix factorisation trained on pairs of a touched and an untouched item."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from r2rec_baselines.factorization import Factorization, FactorModel
from r2rec_bench.core.config import Config, Tune
from r2rec_bench.core.seeds import generator
from r2rec_bench.evaluation.base import baselines


class BPRConfig(Config):
    """Settings of BPR.

    Attributes:
        factors: length of a user's and an item's vector, to which each item adds a bias.
        learning_rate: step of the stochastic gradient.
        regularization: weight of the squared norms.
        iterations: epochs.
    """

    factors: Annotated[int, Field(ge=1), Tune(16, 256, log=True)] = 64
    learning_rate: Annotated[float, Field(gt=0), Tune(0.001, 0.2, log=True)] = 0.05
    regularization: Annotated[float, Field(ge=0), Tune(0.0001, 0.1, log=True)] = 0.01
    iterations: Annotated[int, Field(ge=1), Tune(20, 300)] = 100


@baselines.register("bpr")
class BPR(Factorization):
    """Pairwise logistic loss by stochastic gradient, one negative per positive (library `implicit`).

    On one thread: the library's threads write to shared factors without locks, and no two runs would agree.

    Source: Rendle et al., "BPR: Bayesian Personalized Ranking from Implicit Feedback" (UAI 2009).
    """

    config: BPRConfig

    def model(self, seed: int) -> FactorModel:
        from implicit.bpr import BayesianPersonalizedRanking

        return BayesianPersonalizedRanking(
            **self.config.model_dump(), num_threads=1, use_gpu=False, random_state=generator(seed, "baseline", "bpr")
        )
