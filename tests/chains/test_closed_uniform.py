from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import chisquare

from r2rec_bench.chains.base import weighted_draw
from r2rec_bench.chains.closed_uniform import ClosedUniform, ClosedUniformConfig
from r2rec_bench.core.config import validate
from r2rec_bench.core.errors import ConfigError
from r2rec_bench.core.types import Query, Visibility
from r2rec_bench.data.log import RawLog, build_log
from r2rec_bench.graph import InteractionGraph

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


RAW = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 6)), min_size=8, max_size=36)
"""(user, item, time) as a file gives them: pairs come back later, and times tie."""


@settings(max_examples=60)
@given(raw=RAW, target=st.integers(0, 6), order=st.sampled_from(["any", "forward"]), data=st.data())
def test_on_any_small_graph_all_valid_chains_and_no_others_are_drawn_alike(raw, target, order, data):
    """Against brute force over the raw rows, of which a repeated pair counts once, with its first time."""
    first: dict[int, dict[int, int]] = {}
    for user, item, time in sorted(raw, key=lambda row: row[2]):  # stable: the file's order breaks ties
        first.setdefault(user, {}).setdefault(item, time)
    asker = data.draw(st.sampled_from(sorted(first)))
    position = data.draw(st.integers(0, len(first[asker])))
    own = list(first[asker])[:position]
    valid = {
        (item, peer)
        for item in own
        for peer, known in first.items()
        if peer != asker and item != target and {item, target} <= known.keys()
        if order == "any" or list(known).index(item) < list(known).index(target)
    }
    log, users, items = deduplicated(raw)
    if target not in items:  # nobody touched it; it exists all the same
        items, log = [*items, target], replace(log, item_ids=(*log.item_ids, str(target)))
    times = [first[asker][item] for item in first[asker]]
    moment = times[position] if position < len(times) else 9
    query = Query(users.index(asker), moment, position)
    visible = InteractionGraph(log, Visibility.FOLD).visible(query)
    sampler = ClosedUniform(ClosedUniformConfig(n=64, evidence="single", order=order))
    every = sampler.sample(visible, items.index(target), np.random.default_rng(0)).chains
    assert sorted((items[c.anchor], users[c.peers[0]]) for c in every) == sorted(valid)
    weights = sampler.weights(visible.closures(items.index(target), forward=order == "forward"))
    assert weights.tolist() == [1.0] * len(valid)


def deduplicated(raw):
    """The log of raw rows, and which user and item its indices stand for."""
    user, item, time = (np.array(column) for column in zip(*raw, strict=True))
    log, _ = build_log(RawLog("raw", user, item, np.full(len(raw), np.nan, np.float32), time.astype(np.int64)))
    return log, [int(name) for name in log.user_ids], [int(name) for name in log.item_ids]


@pytest.mark.parametrize("order", ["any", "forward"])
def test_draws_are_uniform_where_pairs_repeat_and_peers_share_exactly_two_items(order):
    """Six random graphs; in each some peer shares with the user the target and one item more, and no others."""
    rng, tested = np.random.default_rng(4), 0
    while tested < 6:
        raw = [(int(u), int(i), int(t)) for u, i, t in zip(*rng.integers(0, 6, (3, 45)), strict=True)]
        log, *_ = deduplicated(raw)
        last = len(log.item[log.user == 0]) - 1
        target, own = int(log.item[log.user == 0][last]), set(log.item[log.user == 0].tolist())
        shared = [len(own & set(log.item[log.user == peer].tolist())) for peer in range(1, log.n_users)]
        visible = InteractionGraph(log, Visibility.FOLD).visible(Query(0, int(log.time[log.user == 0][last]), last))
        closures = visible.closures(target, forward=order == "forward")
        if len(raw) == len(log) or 2 not in shared or not 3 <= len(closures) <= 20:
            continue
        tested += 1
        sampler = ClosedUniform(ClosedUniformConfig(n=1, evidence="single", order=order))
        drawn = Counter(nodes(sampler.sample(visible, target, rng).chains[0]) for _ in range(150 * len(closures)))
        assert_uniform(drawn, {nodes(closures.chain(k)) for k in range(len(closures))})
