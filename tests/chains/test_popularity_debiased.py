import pytest

from r2rec_bench.chains.popularity_debiased import PopularityDebiased, PopularityDebiasedConfig

POPULARITY = {(0, 1): 3 * 3, (1, 1): 3 * 3, (2, 1): 2 * 3, (0, 2): 3 * 3, (1, 2): 3 * 3, (2, 3): 2 * 2, (1, 5): 3 * 3}
"""Of (i0, u1), by hand: people of i0, times u1's items but item 5."""


@pytest.mark.parametrize("power", [0, 0.5, 1, 2])
def test_a_chain_weighs_the_less_the_more_popular_its_item_and_its_peer(visible, power):
    closures = visible.closures(5, forward=False)
    found = PopularityDebiased(PopularityDebiasedConfig(order="any", power=power)).weights(closures)
    ways = zip(closures.anchor.tolist(), closures.peer.tolist(), strict=True)
    expected = {way: popularity**-power for way, popularity in POPULARITY.items()}
    assert dict(zip(ways, found, strict=True)) == pytest.approx(expected)


def test_bundles_are_over_the_items_whose_chains_weigh_most(visible):
    def anchors(power):
        sampler = PopularityDebiased(PopularityDebiasedConfig(order="any", power=power, n=1))
        return [bundle.anchor.item for bundle in sampler.sample(visible, 5, None).bundles]

    # Through items 0, 1 and 2 lead 2, 3 and 2 chains; at power 1 they weigh 2/9, 3/9 and 1/6 + 1/4 together.
    assert (anchors(0), anchors(1)) == ([1], [2])
