"""A small world in which lists of candidates are asked about."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from r2rec_bench.chains.base import ChainSampler, chain_samplers
from r2rec_bench.core.types import RATINGS, InteractionLog, Query, Visibility
from r2rec_bench.graph import InteractionGraph
from r2rec_bench.prompts.base import Asked, PromptStrategy
from r2rec_bench.prompts.direct import Direct
from r2rec_bench.prompts.verbose import Verbose
from r2rec_bench.traces.collect import Asker
from tests.evaluation.scripted import CATALOG, ITEMS, words


@pytest.fixture(scope="module")
def graph() -> InteractionGraph:
    """Thirty people, each with twelve rated films in some order."""
    rng = np.random.default_rng(0)
    items = np.concatenate([rng.choice(ITEMS, 12, replace=False) for _ in range(30)])
    log = InteractionLog(
        np.repeat(np.arange(30), 12).astype(np.int32),
        items.astype(np.int32),
        rng.integers(1, 6, len(items)).astype(np.float32),
        np.arange(len(items), dtype=np.int64),
        tuple(f"u{user}" for user in range(30)),
        tuple(f"i{item}" for item in range(ITEMS)),
    )
    return InteractionGraph(log, Visibility.FOLD)


@pytest.fixture(scope="module")
def ask(graph) -> Callable[..., list[Asked]]:
    """The questions about some films, of a user who has seen eight."""

    def asked(
        items: Sequence[int], user: int = 0, strategy: PromptStrategy | None = None, sampler: ChainSampler | None = None
    ) -> list[Asked]:
        sampler = sampler or chain_samplers.get("none")()
        asker = Asker(graph, CATALOG, sampler, strategy or Direct(), Verbose(), words, (0, *RATINGS), 0)
        return asker.prompts(Query(user, 10**6, 8), items)

    return asked
