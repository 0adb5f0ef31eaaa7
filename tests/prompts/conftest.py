"""Random evidence of every kind, and a small graph to ask about."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import strategies as st

from r2rec_bench.core.types import Bundle, Chain, Edge, Evidence, InteractionLog, ItemCatalog, Query, Visibility
from r2rec_bench.graph import InteractionGraph
from r2rec_bench.prompts.base import Question

TARGET = 7
_COUNTS = st.integers(0, 10**7)
_RATINGS = st.sampled_from([1.0, 2.0, 3.0, 4.0, 5.0, 2.5, float("nan")])
_MEANS = st.one_of(st.floats(1, 5), st.just(float("nan")))
_LIFTS = st.floats(1e-9, 1e9)


def _edges(item: int | None = None) -> st.SearchStrategy[Edge]:
    items = st.integers(0, 6) if item is None else st.just(item)
    return st.builds(Edge, st.integers(0, 99), items, _RATINGS, st.integers(0, 2**40), st.integers(0, 10**6))


@st.composite
def _chains(draw: st.DrawFn) -> Chain:
    hops = draw(st.sampled_from([4, 6]))
    edges = [draw(_edges()) for _ in range(hops - 2)] + [draw(_edges(TARGET))]
    return Chain(tuple(edges), draw(st.integers(-(10**6), 10**6)), draw(st.floats(-1e4, 1e4)))


_BUNDLES = st.builds(
    Bundle,
    _edges(),
    st.integers(1, 10**6),
    _COUNTS,
    _COUNTS,
    _COUNTS,
    _LIFTS,
    _COUNTS,
    _LIFTS,
    _MEANS,
    _COUNTS,
    _MEANS,
)


def _evidence(most: int) -> st.SearchStrategy[Evidence]:
    def put(chains: list[Chain], bundles: list[Bundle]) -> Evidence:
        return Evidence(Query(0, 0, 1), TARGET, tuple(chains), tuple(bundles))

    return st.one_of(
        st.builds(put, st.lists(_chains(), max_size=most), st.just([])),
        st.builds(put, st.just([]), st.lists(_BUNDLES, max_size=most)),
    )


@pytest.fixture(scope="session")
def any_evidence() -> Callable[..., st.SearchStrategy[Evidence]]:
    """Evidence about item 7: at most so many chains (four or six hops) or bundles; values are extreme or missing."""
    return _evidence


@pytest.fixture(scope="session")
def catalog() -> ItemCatalog:
    return ItemCatalog(tuple(f"Title {letter}" for letter in "ABCDEFGH"), ("",) * 8)


@pytest.fixture(scope="session")
def question(catalog) -> Callable[..., Question]:
    """User 0, with two rated items behind them, is asked about item 7, which two others know."""
    log = InteractionLog(
        np.array([0, 0, 0, 1, 2], np.int32),
        np.array([0, 1, 2, 7, 7], np.int32),
        np.array([5, 4, 3, 2, 4], np.float32),
        np.arange(5, dtype=np.int64),
        ("a", "b", "c"),
        tuple("01234567"),
    )
    visible = InteractionGraph(log, Visibility.FOLD).visible(Query(0, 2, 2))
    visible.audience(TARGET)  # compiled here, and not against the deadline of a property

    def make(evidence: Evidence, *, outcomes=(0, 1, 2, 3, 4, 5), titles=None) -> Question:
        return Question(visible, TARGET, evidence, titles or catalog, outcomes)

    return make
