"""What holds of every registered sampler, ours or a stranger's, in every way it can be set."""

from collections import Counter
from typing import get_args

import numpy as np
import pytest
from scipy.stats import chisquare

from r2rec_bench.chains.base import chain_samplers, draw_of_each
from r2rec_bench.core.types import Query, Visibility
from r2rec_bench.graph import InteractionGraph

TARGET = 5
WAYS = [
    pytest.param(name, {"evidence": evidence, "order": order}, id=f"{name}-{evidence}-{order}")
    for name, cls in chain_samplers
    for evidence in get_args(cls.config_type().model_fields["evidence"].annotation)
    for order in ("any", "forward")
]
MADE_UP = {"shuffled"}
"""Samplers that say of the target what is true of another item."""


def make(name, **settings):
    cls = chain_samplers.get(name)
    return cls(cls.config_type()(**settings))


def sample(name, visible, seed=0, target=TARGET, **settings):
    return make(name, **settings).sample(visible, target, np.random.default_rng(seed))


@pytest.mark.parametrize(("name", "settings"), WAYS)
def test_the_same_generator_gives_the_same_evidence(name, settings, visible):
    for seed in range(5):
        assert repr(sample(name, visible, seed, **settings)) == repr(sample(name, visible, seed, **settings))


@pytest.mark.parametrize(("name", "settings"), WAYS)
def test_evidence_is_what_was_asked_for_and_no_more(name, settings, visible):
    for n in (1, 3, 64):
        evidence = sample(name, visible, n=n, **settings)
        assert (evidence.query, evidence.target) == (visible.query, TARGET)
        assert len(evidence) <= n
        assert not (evidence.chains if settings["evidence"] == "bundle" else evidence.bundles)


@pytest.mark.parametrize(("name", "settings"), WAYS)
def test_every_edge_and_every_count_is_of_the_visible_graph(name, settings, visible, log):
    offsets = log.offsets()
    for seed in range(20):
        evidence = sample(name, visible, seed, **settings)
        for chain in evidence.chains:
            own, shared, last = chain.edges
            assert own.position < visible.query.position
            assert (own.user, shared.item, last.user) == (visible.query.user, own.item, shared.user)
            assert len({own.user, last.user}) == len({own.item, last.item}) == 2
            assert own.item != TARGET
            for edge in chain.edges[: 2 if name in MADE_UP else 3]:
                row = offsets[edge.user] + edge.position
                assert (log.item[row], log.time[row]) == (edge.item, edge.time)
                np.testing.assert_equal(edge.rating, float(log.rating[row]))
            if settings["order"] == "forward":
                assert chain.gap_steps == last.position - shared.position > 0
        if name not in MADE_UP:
            anchors = [bundle.anchor.position for bundle in evidence.bundles]
            exact = visible.bundles(anchors, TARGET, forward=settings["order"] == "forward", window=10)
            assert repr(evidence.bundles) == repr(tuple(exact))
            assert anchors == sorted(set(anchors), reverse=True)


@pytest.mark.parametrize("name", chain_samplers.names())
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


@pytest.mark.parametrize(("name", "settings"), WAYS)
def test_users_without_a_history_or_with_the_target_alone_have_no_evidence(name, settings, log):
    for user, position, target in ((0, 0, TARGET), (0, 1, 0), (4, 1, 3)):
        for visibility in Visibility:
            time = int(log.time[log.offsets()[user] + position])
            visible = InteractionGraph(log, visibility).visible(Query(user, time, position))
            assert len(sample(name, visible, target=target, **settings)) == 0


@pytest.mark.parametrize(("name", "settings"), WAYS)
def test_a_user_with_one_item_has_at_most_what_leads_through_it(name, settings, log):
    visible = InteractionGraph(log, Visibility.FOLD).visible(Query(0, 86_400, 1))
    found = [sample(name, visible, seed, **settings) for seed in range(20)]
    assert {c.anchor for e in found for c in e.chains} | {b.anchor.item for e in found for b in e.bundles} <= {0}
    assert name == "none" or any(map(len, found))


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
