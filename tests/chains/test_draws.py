"""How our samplers draw, beyond the contract of their family: in proportion to weights, all that there are."""

from collections import Counter

import numpy as np
import pytest
from scipy.stats import chisquare

from r2rec_bench.chains.base import chain_samplers, draw_of_each

TARGET = 5
MADE_UP = {"shuffled"}
"""Samplers that say of the target what is true of another item."""


def make(name, **settings):
    cls = chain_samplers.get(name)
    return cls(cls.config_type()(**settings))


def sample(name, visible, seed=0, target=TARGET, **settings):
    return make(name, **settings).sample(visible, target, np.random.default_rng(seed))


@pytest.mark.parametrize("name", sorted(set(chain_samplers.names()) - {"closed_drawn"}))  # it has no such setting
@pytest.mark.parametrize("order", ["any", "forward"])
def test_chains_of_one_candidate_share_no_peer_or_no_item_if_told_so(name, order, visible):
    every = {"peer": set(), "anchor": set()}
    for seed in range(50):
        for distinct, seen in every.items():
            evidence = sample(name, visible, seed, n=64, evidence="single", order=order, distinct=distinct)
            kinds = [chain.peers[0] if distinct == "peer" else chain.anchor for chain in evidence.chains]
            assert len(kinds) == len(set(kinds))
            seen |= set(kinds)
            if name not in MADE_UP:
                # As many as there are: all kinds that occur when nothing is asked to differ.
                free = sample(name, visible, seed, n=64, evidence="single", order=order).chains
                assert set(kinds) == {chain.peers[0] if distinct == "peer" else chain.anchor for chain in free}
    assert name == "none" or all(every.values())


@pytest.mark.parametrize("name", sorted(set(chain_samplers.names()) - {"none", "shuffled"}))
@pytest.mark.parametrize("order", ["any", "forward"])
def test_one_chain_is_drawn_in_proportion_to_its_weight(name, order, visible):
    sampler, rng, draws = make(name, n=1, evidence="single", order=order), np.random.default_rng(5), 4_000
    walks = sampler.walks(visible, TARGET, rng)
    weights = sampler.weights(walks)
    expected = dict(zip(zip(walks.anchor.tolist(), walks.peer.tolist(), strict=True), weights, strict=True))
    chains = [sampler.sample(visible, TARGET, rng).chains[0] for _ in range(draws)]
    counts = Counter((chain.anchor, chain.peers[0]) for chain in chains)
    assert set(counts) <= set(expected)
    assert chisquare([counts[way] for way in expected], weights / weights.sum() * draws).pvalue > 1e-3


def test_of_each_kind_one_is_drawn_from_what_the_others_leave():
    weights, kinds, draws = np.array([1.0, 2.0, 3.0, 0.0]), np.array([0, 0, 1, 2], np.int32), 6_000
    rng = np.random.default_rng(2)
    counts = Counter(tuple(draw_of_each(weights, kinds, 9, rng).tolist()) for _ in range(draws))
    assert weights.tolist() == [1, 2, 3, 0]
    assert set(counts) == {(0, 2), (1, 2), (2, 0), (2, 1)}
    expected = {(0, 2): 1 / 6, (1, 2): 2 / 6, (2, 0): 3 / 6 * 1 / 3, (2, 1): 3 / 6 * 2 / 3}
    assert chisquare([counts[way] for way in expected], [share * draws for share in expected.values()]).pvalue > 1e-3
