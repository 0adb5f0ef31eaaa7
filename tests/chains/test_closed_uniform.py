from collections import Counter

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.stats import chisquare

from r2rec_bench.chains.base import weighted_draw
from r2rec_bench.chains.closed_uniform import ClosedUniform, ClosedUniformConfig
from r2rec_bench.core.config import validate
from r2rec_bench.core.errors import ConfigError

TARGET, DRAWS = 5, 6_000
SHORT = {
    "any": {(0, 1), (1, 1), (2, 1), (0, 2), (1, 2), (2, 3), (1, 5)},
    "forward": {(0, 1), (1, 1), (2, 1), (0, 2), (2, 3), (1, 5)},
}
"""(i0, u1) of every valid chain, by hand."""
LONG_FORWARD = {
    (0, 1, 1, 5), (0, 1, 2, 3), (1, 1, 2, 3),
    (0, 2, 1, 1), (0, 2, 1, 5), (0, 2, 3, 3), (1, 2, 3, 3),
    (0, 4, 4, 5), (0, 4, 6, 5),
}  # fmt: skip
"""(i0, u1, m, u2) of every valid longer chain in forward order, by hand."""


def drawn(visible, n=1, times=DRAWS, **settings):
    sampler = ClosedUniform(ClosedUniformConfig(n=n, evidence="single", **settings))
    rng = np.random.default_rng(11)
    return [sampler.sample(visible, TARGET, rng).chains for _ in range(times)]


def nodes(chain):
    first, *rest = chain.edges
    return (first.item, *(edge.item if k % 2 else edge.user for k, edge in enumerate(rest)))[:-1]


def assert_uniform(counts, valid):
    assert set(counts) == set(valid)
    assert chisquare([counts[chain] for chain in sorted(valid)]).pvalue > 1e-3


@pytest.mark.parametrize("order", ["any", "forward"])
def test_every_chain_is_equally_likely_whoever_its_peer(visible, order):
    counts = Counter(nodes(chain) for (chain,) in drawn(visible, order=order))
    assert_uniform(counts, SHORT[order])
    by_peer = Counter({peer: 0 for _, peer in SHORT[order]})
    for (_, peer), count in counts.items():
        by_peer[peer] += count
    assert chisquare(list(by_peer.values())).pvalue < 1e-9  # a sampler uniform over peers would be told apart


@pytest.mark.parametrize("order", ["any", "forward"])
def test_every_longer_chain_is_equally_likely(visible, order):
    every = [nodes(c) for c in drawn(visible, n=64, times=1, hops=6, order=order)[0]]
    if order == "forward":
        assert set(every) == LONG_FORWARD
    assert_uniform(Counter(nodes(chain) for (chain,) in drawn(visible, hops=6, order=order)), every)


@pytest.mark.parametrize("settings", [{"order": "any"}, {"order": "forward"}, {"order": "forward", "hops": 6}])
def test_several_draws_are_distinct_and_favour_none(visible, settings):
    together = drawn(visible, n=3, times=2_000, **settings)
    counts = Counter(nodes(chain) for chains in together for chain in chains)
    assert all(len({nodes(chain) for chain in chains}) == 3 for chains in together)
    # Drawn without replacement, counts scatter less than independent draws would; none may be off by 10 %.
    mean = sum(counts.values()) / len(counts)
    assert all(abs(count - mean) < 0.1 * mean for count in counts.values())


def test_fewer_chains_where_there_are_fewer(visible):
    assert len(drawn(visible, n=64, times=1, order="any")[0]) == len(SHORT["any"])
    sampler = ClosedUniform(ClosedUniformConfig(evidence="single"))
    assert sampler.sample(visible, 0, np.random.default_rng(0)).chains == ()  # all came to item 0 first


def test_the_same_generator_draws_the_same_chains(visible):
    for hops in (4, 6):
        assert repr(drawn(visible, n=2, times=5, hops=hops)) == repr(drawn(visible, n=2, times=5, hops=hops))


def test_a_chain_tells_its_edges_in_walking_order_and_its_gap(visible):
    chain = next(c for (c,) in drawn(visible, times=100) if nodes(c) == (1, 5))
    assert [(e.user, e.item, e.time // 86_400, e.position) for e in chain.edges] == [
        (0, 1, 1, 1), (5, 1, 2, 2), (5, 5, 3, 3)
    ]  # fmt: skip
    assert (chain.gap_steps, chain.gap_days, chain.anchor, chain.end, chain.peers) == (1, 1.0, 1, 5, (5,))


def test_bundles_are_over_the_latest_items_but_the_target(visible):
    def anchors(target, n):
        return [b.anchor.item for b in ClosedUniform(ClosedUniformConfig(n=n)).sample(visible, target, None).bundles]

    assert anchors(TARGET, 2) == [2, 1]
    assert anchors(2, 8) == [1, 0]


def test_a_bundle_by_hand(visible):
    (bundle,) = ClosedUniform(ClosedUniformConfig(n=1, window=1)).sample(visible, TARGET, None).bundles
    # Item 2: users 1 and 3, both of whom came to item 5 next; 4 of 5 people and 18 edges; user 0 did not rate it.
    assert (bundle.steps_ago, bundle.n_anchor, bundle.n_target, bundle.n_peers, bundle.n_forward) == (1, 2, 4, 2, 2)
    assert bundle.lift == pytest.approx(2.5 / (2 * 4 / 5 + 0.5))
    assert bundle.forward_lift == pytest.approx(2.5 / (2 * 4 / 19 + 0.5))
    assert (bundle.mean_rating, bundle.n_agree) == (4.5, 0)
    assert np.isnan(bundle.agree_rating)


def test_longer_chains_have_no_bundles_and_are_distinct_as_chains_alone():
    with pytest.raises(ValidationError, match="a bundle folds chains of 4 hops, got hops: 6; set evidence: single"):
        ClosedUniformConfig(hops=6)
    with pytest.raises(ValidationError, match="distinct: chain alone, got peer; set distinct: chain, or hops: 4"):
        ClosedUniformConfig(hops=6, evidence="single", distinct="peer")
    with pytest.raises(ConfigError, match=r"hops: Input should be 4 or 6"):
        validate(ClosedUniformConfig, {"hops": 5}, "here")


def test_a_weight_of_zero_is_never_drawn():
    rng = np.random.default_rng(0)
    assert sorted(weighted_draw(np.array([0.0, 1.0, 0.0, 1e-9]), 4, rng)) == [1, 3]
    assert weighted_draw(np.zeros(3), 2, rng).tolist() == []
