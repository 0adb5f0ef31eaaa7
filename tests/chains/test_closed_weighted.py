from collections import Counter

import numpy as np
import pytest
from scipy.stats import chisquare

from r2rec_bench.chains.closed_weighted import ClosedWeighted, ClosedWeightedConfig
from r2rec_bench.core.config import validate
from r2rec_bench.core.errors import ConfigError

CHAINS = [(0, 1), (1, 1), (2, 1), (0, 2), (1, 2), (2, 3), (1, 5)]
"""(i0, u1), by hand. User 1 shares three items with user 0, user 2 two, users 3 and 5 one."""
WEIGHTS = {
    "overlap": [3, 3, 3, 2, 2, 1, 1],
    # Own items: 3; theirs, target apart: 3, 3, 2 and 3.
    "jaccard": [1, 1, 1, 2 / 4, 2 / 4, 1 / 4, 1 / 5],
    # Ratings 5-5, 3-1, none-4, 5-3, 3-2, none-5, 3-2; not known to agree weighs 1 / (1 + 4).
    "agreement": [1, 1 / 3, 1 / 5, 1 / 3, 1 / 2, 1 / 5, 1 / 2],
}


def sampler(**settings):
    return ClosedWeighted(ClosedWeightedConfig(order="any", **settings))


def node(chain):
    return chain.anchor, chain.peers[0]


@pytest.mark.parametrize("by", WEIGHTS)
def test_weights_are_those_worked_out_by_hand(visible, by):
    closures = visible.closures(5, forward=False)
    weights = dict(
        zip(map(node, map(closures.chain, range(len(closures)))), sampler(by=by).weights(closures), strict=True)
    )
    assert weights == pytest.approx(dict(zip(CHAINS, WEIGHTS[by], strict=True)))


@pytest.mark.parametrize("by", WEIGHTS)
def test_one_chain_is_drawn_in_proportion_to_its_weight(visible, by):
    rng, draws = np.random.default_rng(3), 6_000
    one = sampler(by=by, n=1, evidence="single")
    counts = Counter(node(one.sample(visible, 5, rng).chains[0]) for _ in range(draws))
    expected = np.array(WEIGHTS[by]) / sum(WEIGHTS[by]) * draws
    assert chisquare([counts[chain] for chain in CHAINS], expected).pvalue > 1e-3


def test_several_chains_are_distinct(visible):
    rng = np.random.default_rng(3)
    for _ in range(100):
        chains = sampler(n=5, evidence="single").sample(visible, 5, rng).chains
        assert len({node(chain) for chain in chains}) == 5


def test_bundles_are_over_the_items_whose_chains_weigh_most(visible):
    def anchors(target, **settings):
        return [b.anchor.item for b in sampler(**settings).sample(visible, target, None).bundles]

    # By overlap the chains through items 0, 1 and 2 weigh 5, 6 and 4 together.
    assert anchors(5, by="overlap", n=1) == [1]
    assert anchors(5, by="overlap", n=2) == [1, 0]
    assert anchors(5, by="overlap", n=8) == [2, 1, 0]
    assert anchors(4, by="overlap", n=8) == [1, 0]  # nobody with item 2 came to item 4
    assert anchors(1, by="overlap", n=8) == [2, 0]


def test_longer_chains_are_not_weighted():
    with pytest.raises(
        ConfigError, match=r"hops: unknown key 'hops'; allowed: by, distinct, evidence, n, order, window"
    ):
        validate(ClosedWeightedConfig, {"hops": 6, "evidence": "single"}, "here")
