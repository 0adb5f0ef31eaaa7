"""The placebo and the absence of evidence."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chisquare

from r2rec_bench.chains.base import SamplerConfig
from r2rec_bench.chains.closed_uniform import ClosedUniform, ClosedUniformConfig
from r2rec_bench.chains.none import NoChains
from r2rec_bench.chains.shuffled import Shuffled
from r2rec_bench.core.types import InteractionLog, Query, Visibility
from r2rec_bench.graph import InteractionGraph

TARGET, N_ITEMS = 5, 7


def shuffled(visible, target=TARGET, seeds=200, **settings):
    sampler = Shuffled(SamplerConfig(**settings))
    return [sampler.sample(visible, target, np.random.default_rng(seed)) for seed in range(seeds)]


def real(visible, item, **settings):
    return ClosedUniform(ClosedUniformConfig(n=64, **settings)).sample(visible, item, np.random.default_rng(0))


def test_its_bundles_are_the_real_ones_of_another_item_each_as_likely(visible):
    # Some items have the same bundles; those in the user's own history are asked about like any other.
    others = Counter(repr(real(visible, item).bundles) for item in set(range(N_ITEMS)) - {TARGET})
    draws = 3_000
    counts = Counter(repr(evidence.bundles) for evidence in shuffled(visible, seeds=draws))
    assert set(counts) == set(others) - {repr(real(visible, TARGET).bundles)}
    expected = [draws * items / (N_ITEMS - 1) for items in others.values()]
    assert chisquare([counts[bundles] for bundles in others], expected).pvalue > 1e-3


@pytest.mark.parametrize("order", ["any", "forward"])
def test_its_chains_are_real_but_for_the_item_in_which_they_are_said_to_end(visible, order):
    known = {
        repr(replace(chain, edges=(*chain.edges[:2], replace(chain.edges[2], item=TARGET))))
        for item in set(range(N_ITEMS)) - {TARGET}
        for chain in real(visible, item, evidence="single", order=order).chains
    }
    told = [chain for evidence in shuffled(visible, evidence="single", order=order) for chain in evidence.chains]
    assert {repr(chain) for chain in told} == known
    assert {chain.end for chain in told} == {TARGET}


@pytest.mark.parametrize("evidence", ["single", "bundle"])
def test_it_does_not_depend_on_what_anybody_thought_of_the_target(log, visible, evidence):
    other = replace(log, rating=np.where(log.item == TARGET, 6 - log.rating, log.rating).astype(np.float32))
    changed = InteractionGraph(other, Visibility.FOLD).visible(visible.query)
    assert real(changed, TARGET, evidence=evidence) != real(visible, TARGET, evidence=evidence)
    assert repr(shuffled(changed, evidence=evidence)) == repr(shuffled(visible, evidence=evidence))


def test_an_own_edge_to_the_target_is_never_told(visible):
    for evidence in ("single", "bundle"):
        told = shuffled(visible, target=0, evidence=evidence)
        assert any(map(len, told))
        assert all(chain.anchor != 0 for e in told for chain in e.chains)
        assert all(bundle.anchor.item != 0 for e in told for bundle in e.bundles)


def test_where_there_is_no_other_item_there_is_nothing_to_tell():
    column = np.zeros(2)
    log = InteractionLog(
        np.arange(2, dtype=np.int32),
        column.astype(np.int32),
        column.astype(np.float32),
        column.astype(np.int64),
        ("a", "b"),
        ("x",),
    )
    visible = InteractionGraph(log, Visibility.FOLD).visible(Query(0, 0, 0))
    assert len(Shuffled().sample(visible, 0, np.random.default_rng(0))) == 0


def test_none_is_no_evidence_whatever_its_settings(visible):
    for evidence in ("single", "bundle"):
        told = NoChains(SamplerConfig(evidence=evidence)).sample(visible, TARGET, np.random.default_rng(0))
        assert (told.query, told.target, len(told)) == (visible.query, TARGET, 0)
