"""A chain sampler, a reward and a baseline; importing the module registers them."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field
from scipy import sparse

from r2rec_bench.chains.base import SamplerConfig, chain_samplers
from r2rec_bench.chains.weighted import WeightedSampler
from r2rec_bench.core.config import Tune
from r2rec_bench.core.texts import Reading, Trace
from r2rec_bench.core.types import Candidates, FloatArray, InteractionLog
from r2rec_bench.evaluation.base import Baseline, baselines
from r2rec_bench.graph import Closures
from r2rec_bench.training.rewards.base import Reward, rewards


class WellReadConfig(SamplerConfig):
    """Also how much a peer's experience counts."""

    power: Annotated[float, Field(ge=0, le=4), Tune(0.25, 2)] = 1.0
    """0: not at all; 1: in proportion to how many items the peer knows."""


@chain_samplers.register("well_read")
class WellRead(WeightedSampler):
    """Closed chains drawn the more often, the more items their peer knows.

    Source: this example.
    """

    config: WellReadConfig

    def weights(self, closures: Closures) -> FloatArray:
        return (1.0 + closures.peer_items) ** self.config.power


@rewards.register("foresight")
class Foresight(Reward):
    """Mean of 1 − ((forecast − truth) / 5)² over the thoughts; 0 for what cannot be read.

    Source: Brier, "Verification of forecasts" (1950).
    """

    range = (0.0, 1.0)

    def score(self, readings: Sequence[Reading], traces: Sequence[Trace]) -> FloatArray:
        return np.array([self._score(*pair) for pair in zip(readings, traces, strict=True)], np.float64)

    def _score(self, reading: Reading, trace: Trace) -> float:
        if not reading.valid or len(reading.thoughts) != len(trace.outcomes):
            return 0.0
        pairs = zip(reading.thoughts, trace.outcomes, strict=True)
        return float(np.mean([1 - ((thought.forecast - true) / 5) ** 2 for thought, true in pairs] or [1.0]))


@baselines.register("markov")
class Markov(Baseline):
    """How often people went on to the item right after the user's latest one; equals by popularity.

    Source: first-order Markov chain; counted, where FPMC (Rendle et al., WWW 2010) factorizes it.
    """

    def fit(self, log: InteractionLog, seed: int) -> None:
        step = np.flatnonzero(log.user[1:] == log.user[:-1])
        moves = (np.ones(len(step)), (log.item[step], log.item[step + 1]))
        self._onward = sparse.csr_matrix(moves, shape=(log.n_items, log.n_items))
        self._popularity = np.bincount(log.item, minlength=log.n_items) / (len(log) + 1)
        self._latest = dict(zip(log.user.tolist(), log.item.tolist(), strict=True))

    def score(self, candidates: Candidates) -> FloatArray:
        scores = self._popularity[candidates.items]
        for row, query in enumerate(candidates.queries):
            if query.user in self._latest:
                scores[row] += self._onward[self._latest[query.user]].toarray()[0, candidates.items[row]]
        return scores
