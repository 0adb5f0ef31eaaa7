import numpy as np
import pytest

from r2rec_bench.chains.recent import Recent, RecentConfig
from r2rec_bench.core.types import Query, Visibility
from r2rec_bench.graph import InteractionGraph

DAY = 86_400
MEAN_AGES = {
    (0, 1): (3 + 3 + 0) / 3,
    (1, 1): (2 + 2 + 0) / 3,
    (2, 1): (1 + 1 + 0) / 3,
    (0, 2): (3 + 3 + 2) / 3,
    (1, 2): (2 + 1 + 2) / 3,
    (2, 3): (1 + 2 + 1) / 3,
    (1, 5): (2 + 1 + 0) / 3,
}
"""Of (i0, u1), in days, by hand: of u0's edge, of u1's to i0 and of u1's to item 5."""


def weights(visible, **settings):
    closures = visible.closures(5, forward=False)
    found = Recent(RecentConfig(order="any", **settings)).weights(closures)
    return dict(zip(zip(closures.anchor.tolist(), closures.peer.tolist(), strict=True), found, strict=True))


@pytest.mark.parametrize("half_life", [0.5, 30.0])
def test_a_chain_weighs_half_as_much_when_its_edges_are_a_half_life_older(visible, half_life):
    youngest = min(MEAN_AGES.values())
    expected = {way: 0.5 ** ((age - youngest) / half_life) for way, age in MEAN_AGES.items()}
    assert weights(visible, half_life_days=half_life) == pytest.approx(expected)


def test_edges_after_the_query_are_of_age_zero(log):
    visible = InteractionGraph(log, Visibility.FOLD).visible(Query(0, DAY, 1))
    # Item 0 alone is known. User 1 came to item 5 on day 3, user 2 on day 1: both are of age 0.
    found = weights(visible, half_life_days=1)
    assert found == {(0, 1): 1, (0, 2): 1}


def test_the_oldest_chains_can_still_be_drawn(visible):
    found = weights(visible, half_life_days=1e-4)
    assert all(0 < weight < np.inf for weight in found.values())
    sampler = Recent(RecentConfig(order="any", half_life_days=1e-4, n=64, evidence="single"))
    chains = sampler.sample(visible, 5, np.random.default_rng(0)).chains
    assert (chains[0].anchor, chains[0].peers) == (2, (1,))
    assert len(chains) == len(MEAN_AGES)


def test_bundles_are_over_the_items_of_the_freshest_chains(visible):
    def anchors(n):
        sampler = Recent(RecentConfig(order="any", half_life_days=0.1, n=n))
        return [bundle.anchor.item for bundle in sampler.sample(visible, 5, None).bundles]

    assert (anchors(1), anchors(2), anchors(3)) == ([2], [2, 1], [2, 1, 0])
