from collections import Counter

import numpy as np
import pytest
from scipy.stats import chisquare

from r2rec_bench.chains.random_walk import RandomWalk, RandomWalkConfig
from r2rec_bench.core.config import validate
from r2rec_bench.core.errors import ConfigError

DRAWS = 6_000
ONWARD = {
    0: {1: [1, 2, 5], 2: [5, 1, 3], 4: [4, 6]},
    1: {1: [2, 5], 2: [3], 5: [5]},
    2: {1: [5], 3: [5]},
}
"""i0 → u1 → what u1 came to later, by hand."""
ANY = {
    0: {1: [1, 2, 5], 2: [5, 1, 3], 4: [3, 4, 6]},
    1: {1: [0, 2, 5], 2: [0, 5, 3], 5: [6, 4, 5]},
    2: {1: [0, 1, 5], 3: [3, 5]},
}


def nodes(chain):
    return chain.anchor, chain.peers[0], chain.edges[-1].item


@pytest.mark.parametrize(("order", "ways"), [("forward", ONWARD), ("any", ANY)])
def test_every_step_is_uniform_and_the_target_is_reached_by_chance_alone(visible, order, ways):
    one, rng = RandomWalk(RandomWalkConfig(n=1, order=order)), np.random.default_rng(7)
    counts = Counter(nodes(one.sample(visible, 5, rng).chains[0]) for _ in range(DRAWS))
    expected = {
        (anchor, peer, end): DRAWS / len(ways) / len(peers) / len(ends)
        for anchor, peers in ways.items()
        for peer, ends in peers.items()
        for end in ends
    }
    assert set(counts) == set(expected)
    assert chisquare([counts[walk] for walk in expected], list(expected.values())).pvalue > 1e-3


def test_several_walks_differ_in_their_item_or_their_peer(visible):
    walks = RandomWalk(RandomWalkConfig(n=64)).sample(visible, 5, np.random.default_rng(1)).chains
    assert sorted(nodes(walk)[:2] for walk in walks) == sorted((i0, u1) for i0, peers in ONWARD.items() for u1 in peers)


def test_a_walk_has_no_bundles():
    with pytest.raises(ConfigError, match=r"evidence: Input should be 'single'; got 'bundle'"):
        validate(RandomWalkConfig, {"evidence": "bundle"}, "here")
