"""The opposite of a piece of evidence: reversed, and still possible."""

import math
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from r2rec_bench.core.types import Bundle, Chain, Edge
from r2rec_bench.evaluation.opposite import opposite
from r2rec_bench.prompts.steps import Hop, Step

NAN = math.nan


def edge(rating: float) -> Edge:
    return Edge(0, 1, rating, 0, 0)


def of(bundle: Bundle) -> Bundle:
    reversed_one = opposite(Step(1, Hop.BUNDLE, bundle.anchor, bundle=bundle)).bundle
    assert reversed_one is not None
    return reversed_one


@st.composite
def bundles(draw: st.DrawFn) -> Bundle:
    """Bundles as the graph counts them: expectations, and lifts that follow from counts."""
    n_anchor, n_target = draw(st.integers(0, 3000)), draw(st.integers(0, 3000))
    n_peers = draw(st.integers(0, min(n_anchor, n_target)))
    n_forward = draw(st.integers(0, n_peers))
    expected, soon = draw(st.floats(0, 1000)), draw(st.floats(0, 300))
    rated = draw(st.floats(1, 5)) if n_peers else NAN
    n_agree = draw(st.integers(0, n_peers))
    return Bundle(
        edge(4.0),
        3,
        n_anchor,
        n_target,
        n_peers,
        (n_peers + 0.5) / (expected + 0.5),
        n_forward,
        (n_forward + 0.5) / (soon + 0.5),
        rated,
        n_agree,
        draw(st.floats(1, 5)) if n_agree else NAN,
    )


@pytest.mark.parametrize(("rating", "mirrored"), [(1.0, 5.0), (4.0, 2.0), (3.0, 3.0), (3.5, 2.5)])
def test_a_rating_is_mirrored(rating, mirrored):
    chain = Chain((edge(rating),), 1, 1.0)
    step = Step(1, Hop.OWN, edge(rating), chain=chain, next_rating=2)
    assert opposite(step) == replace(step, edge=edge(mirrored))
    assert opposite(opposite(step)) == step


def test_a_bundle_by_hand():
    # 38 peers where 9.17 - 0.5 were expected, 9 of them soon after where 1.9 - 0.5 were.
    b = Bundle(edge(5.0), 2, 100, 60, 38, 38.5 / 9.17, 9, 9.5 / 1.9, 4.25, 19, 4.5)
    found = of(b)
    assert (found.n_peers, found.n_forward, found.n_agree) == (2, 0, 1)
    assert found.lift == pytest.approx(2.5 / 9.17)
    assert found.forward_lift == pytest.approx(0.5 / 1.9)
    assert (found.mean_rating, found.agree_rating) == (1.75, 1.5)
    assert (found.anchor, found.n_anchor, found.n_target) == (b.anchor, 100, 60)


@settings(max_examples=50)
@given(bundles())
def test_the_opposite_is_possible_and_its_lifts_point_the_other_way(b):
    found = of(b)
    assert 0 <= found.n_forward <= found.n_peers <= min(found.n_anchor, found.n_target)
    assert 0 <= found.n_agree <= found.n_peers
    assert math.isnan(found.mean_rating) or 1 <= found.mean_rating <= 5
    assert math.isnan(found.agree_rating) == (found.n_agree == 0)
    # The denominator of a lift, what was expected of chance, is the same before and after.
    assert (found.n_peers + 0.5) / found.lift == pytest.approx((b.n_peers + 0.5) / b.lift)
    assert (found.n_forward + 0.5) / found.forward_lift == pytest.approx((b.n_forward + 0.5) / b.forward_lift)
    assume(b.forward_lift >= 2)
    assert found.forward_lift <= 1 < b.forward_lift  # 1 where chance alone expects nobody


@settings(max_examples=50)
@given(bundles())
def test_without_order_both_counts_stay_one(b):
    found = of(replace(b, n_forward=b.n_peers, forward_lift=b.lift))
    assert (found.n_forward, found.forward_lift) == (found.n_peers, found.lift)


def test_nobody_agrees_where_nobody_went_on():
    b = Bundle(edge(5.0), 2, 50, 50, 10, 20.0, 3, 20.0, 4.0, 5, 4.0)
    found = of(b)
    assert (found.n_peers, found.n_agree) == (0, 0)
    assert math.isnan(found.mean_rating)
    assert math.isnan(found.agree_rating)


def test_all_parts_of_a_whole_are_reversed():
    parts = (Step(1, Hop.OWN, edge(1.0)), Step(2, Hop.SHARED, edge(5.0)))
    whole = Step(1, Hop.WHOLE, edge(1.0), parts=parts)
    assert [part.edge.rating for part in opposite(whole).parts] == [5.0, 1.0]
