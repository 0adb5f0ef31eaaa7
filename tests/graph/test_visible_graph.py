"""The graph against its definition told in plain Python over lists of edges, on small random worlds."""

import math
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from r2rec_bench.chains.base import chain_samplers
from r2rec_bench.core.types import Bundle, Query, Visibility
from tests.graph.edges import N_ITEMS, World, walk

ratings = st.sampled_from([1.0, 2.0, 3.0, 3.5, 4.0, 5.0, math.nan])


@st.composite
def edges(draw, items=frozenset(range(N_ITEMS)), earliest=0):
    """What one user does: distinct items, times that often tie, none before `earliest`."""
    least = min(draw(st.sampled_from([0, 3, 5])), len(items))
    chosen = draw(st.lists(st.sampled_from(sorted(items)), unique=True, min_size=least)) if items else []
    times = sorted(draw(st.lists(st.integers(earliest, earliest + 5), min_size=len(chosen), max_size=len(chosen))))
    return [(item, draw(ratings), time) for item, time in zip(chosen, times, strict=True)]


@st.composite
def worlds(draw):
    users = draw(st.lists(edges(), min_size=draw(st.sampled_from([1, 4])), max_size=5))
    user = draw(st.integers(0, len(users) - 1))
    position = len(users[user]) - draw(st.integers(0, len(users[user])))
    times = [0, *(time for _, _, time in users[user]), 6]
    query = Query(user, draw(st.integers(times[position], times[position + 1])), position)
    return World(users, query, draw(st.integers(0, N_ITEMS - 1)), draw(st.sampled_from(Visibility)))


@st.composite
def other_futures(draw, world):
    """The same world with something else in place of everything that its query must not see."""
    users = []
    for user, known in enumerate(world.users):
        if user == world.query.user:
            seen = known[: world.query.position]
        elif world.visibility is Visibility.PAST:
            seen = [edge for edge in known if edge[2] < world.query.time]
        else:
            users.append(known)
            continue
        untouched = frozenset(range(N_ITEMS)) - {item for item, _, _ in seen}
        users.append(seen + draw(edges(untouched, earliest=world.query.time)))
    return World(users, world.query, world.target, world.visibility)


class Oracle:
    """The definitions, word for word; what is not in `own` or `others` is not there."""

    def __init__(self, world: World) -> None:
        q = world.query
        self.query, self.target = q, world.target
        self.own = {item: (place, rating) for place, (item, rating, _) in enumerate(world.users[q.user][: q.position])}
        past = world.visibility is Visibility.PAST
        self.others = {
            user: {item: (k, rating) for k, (item, rating, time) in enumerate(known) if not past or time < q.time}
            for user, known in enumerate(world.users)
            if user != q.user
        }
        self.people = [user for user, items in self.others.items() if items]
        self.n_edges = sum(map(len, self.others.values()))

    def audience(self, item: int) -> list[int]:
        return [user for user in self.people if item in self.others[user]]

    def chains(self, *, forward: bool) -> set[tuple[int, ...]]:
        """(i0, u1)."""
        return {
            (item, peer)
            for item in self.own
            for peer in self.audience(item)
            if item != self.target and self.moved(peer, item, self.target, forward)
        }

    def long_chains(self, *, forward: bool) -> set[tuple[int, ...]]:
        """(i0, u1, m, u2)."""
        return {
            (first, u1, middle, u2)
            for first in self.own
            for u1 in self.audience(first)
            for middle in self.others[u1]
            for u2 in self.audience(middle)
            if u1 != u2
            and len({first, middle, self.target}) == 3
            and self.moved(u1, first, middle, forward)
            and self.moved(u2, middle, self.target, forward)
        }

    def moved(self, peer: int, here: int, there: int, forward: bool) -> bool:
        items = self.others[peer]
        return there in items and (not forward or items[here][0] < items[there][0])

    def overlap(self, peer: int) -> int:
        return len((self.own.keys() & self.others[peer].keys()) - {self.target})

    def bundle(self, anchor: int, window: int, forward: bool) -> dict[str, float]:
        place, own_rating = self.own[anchor]
        there, peers = self.audience(self.target), [p for i0, p in self.chains(forward=False) if i0 == anchor]
        steps = {p: self.others[p][self.target][0] - self.others[p][anchor][0] for p in peers}
        onward = [p for p in peers if 1 <= steps[p] <= window]
        slots = sum(
            min(window, sum(k > self.others[p][anchor][0] for k, _ in self.others[p].values()))
            for p in self.audience(anchor)
        )
        agree = [p for p in peers if abs(self.others[p][anchor][1] - own_rating) <= 1]
        lift = smoothed(len(peers), len(self.audience(anchor)) * len(there), len(self.people))
        return {
            "steps_ago": self.query.position - place,
            "n_anchor": len(self.audience(anchor)),
            "n_target": len(there),
            "n_peers": len(peers),
            "lift": lift,
            "n_forward": len(onward) if forward else len(peers),
            "forward_lift": smoothed(len(onward), slots * len(there), self.n_edges) if forward else lift,
            "mean_rating": self.mean_rating(peers),
            "n_agree": len(agree),
            "agree_rating": self.mean_rating(agree),
        }

    def mean_rating(self, people: list[int]) -> float:
        given = [self.others[p][self.target][1] for p in people]
        known = [r for r in given if not math.isnan(r)]
        return sum(known) / len(known) if known else math.nan


def smoothed(seen: int, product: int, out_of: int) -> float:
    return (seen + 0.5) / (product / max(out_of, 1) + 0.5)


def fields(bundle: Bundle) -> dict[str, float]:
    return {name: getattr(bundle, name) for name in Bundle.__slots__ if name != "anchor"}


def everything(world: World) -> str:
    """All that can be learnt from a visible graph, through every door, as text (in which NaN equals NaN)."""
    visible = world.visible
    told: list[object] = [visible.n_people, visible.n_edges, visible.history()]
    told += [visible.audience(item) for item in range(N_ITEMS)]
    anchors = np.flatnonzero(visible.history_items() != world.target)
    for forward in (True, False):
        closures = visible.closures(world.target, forward=forward)
        told += [closures.chain(k) for k in range(len(closures))]
        walks = visible.walks(world.target, np.random.default_rng(0), forward=forward)
        told += [walks.chain(k) for k in range(len(walks))]
        for found in (closures, walks):
            told += [found.overlap, found.peer_items, found.own_items, found.anchor_people]
        told += [visible.bundles(anchors, world.target, forward=forward, window=window) for window in (1, 3)]
        rng = np.random.default_rng(0)
        told.append(visible.long_chains(world.target, 3, rng, forward=forward))
    for _, sampler in chain_samplers:
        config = sampler.config_type()
        for evidence in get_args(config.model_fields["evidence"].annotation):
            for order in ("any", "forward"):
                made = sampler(config(evidence=evidence, order=order))
                told.append(made.sample(visible, world.target, np.random.default_rng(0)))
    return repr(told)


@settings(deadline=None, max_examples=200)
@given(worlds())
def test_history_and_audiences_are_those_of_the_definition(world):
    visible, oracle = world.visible, Oracle(world)
    assert visible.history_items().tolist() == list(oracle.own)
    assert [edge.item for edge in visible.history()] == list(oracle.own)
    np.testing.assert_array_equal(visible.history_ratings(), [rating for _, rating in oracle.own.values()])
    assert (visible.n_people, visible.n_edges) == (len(oracle.people), oracle.n_edges)
    for item in range(N_ITEMS):
        known = [oracle.others[p][item][1] for p in oracle.audience(item)]
        given_ratings = [r for r in known if not math.isnan(r)]
        audience = visible.audience(item)
        assert audience.people == len(known)
        expected = sum(given_ratings) / len(given_ratings) if given_ratings else math.nan
        assert audience.mean_rating == pytest.approx(expected, nan_ok=True)


@settings(deadline=None, max_examples=200)
@given(worlds(), st.booleans())
def test_closures_are_all_valid_chains(world, forward):
    closures, oracle = world.visible.closures(world.target, forward=forward), Oracle(world)
    chains = [closures.chain(k) for k in range(len(closures))]
    assert sorted(map(walk, chains)) == sorted(oracle.chains(forward=forward))
    assert closures.own_items == len(oracle.own.keys() - {world.target})
    for k, chain in enumerate(chains):
        (anchor, peer), (own, shared, last) = walk(chain), chain.edges
        items = oracle.others[peer]
        assert (closures.anchor[k], closures.peer[k]) == (anchor, peer)
        assert closures.overlap[k] == oracle.overlap(peer)
        assert closures.anchor_people[k] == len(oracle.audience(anchor))
        assert closures.peer_items[k] == len(items.keys() - {world.target})
        assert closures.anchor_position[k] == own.position == oracle.own[anchor][0]
        assert chain.gap_steps == items[world.target][0] - items[anchor][0] == last.position - shared.position
        for edge in chain.edges:
            assert repr((edge.item, edge.rating, edge.time)) == repr(world.users[edge.user][edge.position])
        columns = (closures.own_rating, closures.anchor_rating, closures.target_rating)
        np.testing.assert_array_equal([column[k] for column in columns], [edge.rating for edge in chain.edges])
        times = (closures.own_time[k], closures.anchor_time[k], closures.target_time[k])
        assert times == (own.time, shared.time, last.time)


@settings(deadline=None, max_examples=200)
@given(worlds(), st.booleans(), st.integers(0, 5))
def test_walks_take_every_way_that_leads_on_and_may_end_anywhere(world, forward, seed):
    walks = world.visible.walks(world.target, np.random.default_rng(seed), forward=forward)
    oracle = Oracle(world)
    ways = {
        (item, peer): {
            there for there in oracle.others[peer] if there != item and oracle.moved(peer, item, there, forward)
        }
        for item in oracle.own
        for peer in oracle.audience(item)
        if item != world.target
    }
    assert sorted(walk(walks.chain(k)) for k in range(len(walks))) == sorted(way for way, ends in ways.items() if ends)
    assert walks.own_items == len(oracle.own.keys() - {world.target})
    for k in range(len(walks)):
        (item, peer), (own, shared, last) = walk(walks.chain(k)), walks.chain(k).edges
        assert last.item in ways[item, peer]
        for edge in (own, shared, last):
            assert repr((edge.item, edge.rating, edge.time)) == repr(world.users[edge.user][edge.position])
        assert walks.overlap[k] == oracle.overlap(peer)
        assert walks.peer_items[k] == len(oracle.others[peer].keys() - {world.target})
        assert walks.anchor_people[k] == len(oracle.audience(item))


@settings(deadline=None, max_examples=200)
@given(worlds(), st.booleans(), st.integers(1, 4))
def test_bundles_count_what_the_definition_counts(world, forward, window):
    oracle = Oracle(world)
    anchors = [place for item, (place, _) in oracle.own.items() if item != world.target]
    bundles = world.visible.bundles(anchors, world.target, forward=forward, window=window)
    assert [bundle.anchor.position for bundle in bundles] == anchors
    for bundle in bundles:
        expected = oracle.bundle(bundle.anchor.item, window, forward)
        assert fields(bundle) == pytest.approx(expected, nan_ok=True, rel=1e-12)


@settings(deadline=None, max_examples=200)
@given(worlds(), st.booleans(), st.integers(1, 6))
def test_long_chains_are_valid_distinct_and_all_of_them_when_asked_for_enough(world, forward, n):
    valid = Oracle(world).long_chains(forward=forward)
    chains = world.visible.long_chains(world.target, 10_000, np.random.default_rng(1), forward=forward)
    assert sorted(map(walk, chains)) == sorted(valid)
    few = [walk(c) for c in world.visible.long_chains(world.target, n, np.random.default_rng(2), forward=forward)]
    assert len(set(few)) == len(few) == min(n, len(valid))
    for chain in chains:
        shared, last = chain.edges[-2:]
        assert (chain.gap_steps, chain.gap_days) == (
            last.position - shared.position,
            (last.time - shared.time) / 86_400,
        )


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_nothing_depends_on_what_the_query_must_not_see(data):
    world = data.draw(worlds())
    assert everything(data.draw(other_futures(world))) == everything(world)
