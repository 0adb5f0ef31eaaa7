"""A small generated world, asked about in every way."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from r2rec_bench.chains.closed_uniform import ClosedUniform, ClosedUniformConfig
from r2rec_bench.core.types import NONE_RATING, RATINGS, InteractionLog, Visibility
from r2rec_bench.data.base import Dataset
from r2rec_bench.data.sources.synthetic import Synthetic, SyntheticConfig
from r2rec_bench.graph import InteractionGraph
from r2rec_bench.prompts.base import StrategyConfig, prompt_strategies
from r2rec_bench.prompts.wordings import wording_named
from r2rec_bench.traces.collect import Asker
from r2rec_bench.traces.queries import QueriesConfig, TrainingQuery, draw_queries


@pytest.fixture(scope="session")
def small_world() -> Dataset:
    return Synthetic(SyntheticConfig(users=60, items=60, interactions=12)).load()


@pytest.fixture(scope="session")
def unrated(small_world) -> InteractionLog:
    """The same interactions as implicit feedback."""
    return replace(small_world.log, rating=np.full(len(small_world.log), np.nan, np.float32))


@pytest.fixture(scope="session")
def asker(small_world) -> Callable[..., Asker]:
    def make(
        *, evidence="bundle", wording="compact", strategy="progressive_mask", log=None, budget=4096, interaction=True
    ):
        return Asker(
            InteractionGraph(log or small_world.log, Visibility.FOLD),
            small_world.catalog,
            ClosedUniform(ClosedUniformConfig(n=4, evidence=evidence)),
            prompt_strategies.get(strategy)(StrategyConfig(budget=budget)),
            wording_named(wording),
            lambda text: len(text.split()),
            (NONE_RATING, *RATINGS) if interaction else RATINGS,
            seed=0,
        )

    return make


@pytest.fixture(scope="session")
def training(small_world) -> Callable[..., list[TrainingQuery]]:
    def make(n=60, *, touched=0.5, log=None) -> list[TrainingQuery]:
        return draw_queries(log or small_world.log, QueriesConfig(n=n, touched=touched), 0)

    return make
