"""What every chain sampler promises, in every way it can be set."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from r2rec_bench.chains.base import ChainSampler
from r2rec_bench.core.config import validate
from r2rec_bench.core.errors import ConfigError
from r2rec_bench.core.seeds import generator
from r2rec_bench.core.types import Bundle, Chain, InteractionLog, Visibility
from r2rec_bench.graph import VisibleGraph
from r2rec_bench.testing.comparing import require_array, require_same, told
from r2rec_bench.testing.contract import require
from r2rec_bench.testing.every import contract
from r2rec_bench.testing.worlds import CANARY, Moment, World, moments, other_futures, visible_graphs, worlds

CONTRACT = contract("chains", ChainSampler)


@CONTRACT.rule
def weights_are_finite_and_not_negative(sampler: ChainSampler) -> None:
    """One weight per closed chain, float64, finite and not negative, also where nobody rated anything."""
    for one in ways_of(sampler, (sampler.config.evidence,)):
        for _, visible, moment in _asked():
            closures = one.walks(visible, moment.target, generator(0, "walks"))
            where = f"{len(closures)} chains, {moment.what}"
            weights = require_array(one.weights(closures), np.float64, (len(closures),), where)
            require(np.isfinite(weights).all(), f"{weights[~np.isfinite(weights)][:1]} ({where})", "finite weights")
            require((weights >= 0).all(), f"{weights.min(initial=0)} ({where})", "weights of 0 or more")


@CONTRACT.rule
def evidence_is_what_was_asked_for(sampler: ChainSampler) -> None:
    """Evidence names its query and target, is of the kind that is set, and of no more than `n` pieces."""
    for one in ways_of(sampler):
        for _, visible, moment in _asked():
            found = one.sample(visible, moment.target, generator(0, "evidence"))
            require((found.query, found.target) == (visible.query, moment.target), found, "the query and target asked")
            require(len(found) <= one.config.n, f"{len(found)} pieces", f"at most n, {one.config.n}")
            other = found.chains if one.config.evidence == "bundle" else found.bundles
            require(not other, f"{type(other[0]).__name__ if other else ''}s", f"evidence: {one.config.evidence}")


@CONTRACT.rule
def chains_are_walks_in_the_visible_graph(sampler: ChainSampler) -> None:
    """Chains lead from the user's own edge over a peer's to where they end, by edges that the query sees.

    A placebo may say of the target what is true of another item: of the last edge everything but its item is checked.
    """
    for one in ways_of(sampler, ("single",)):
        for world, visible, moment in _asked():
            for seed in range(3):
                for chain in one.sample(visible, moment.target, generator(seed, "evidence")).chains:
                    _require_walk(chain, visible, moment, world.log, forward=one.config.forward)


@CONTRACT.rule
def no_two_chains_are_alike(sampler: ChainSampler) -> None:
    """No two single chains of a candidate are the same, nor share what `distinct` says."""
    for distinct in ("chain", "peer", "anchor"):
        for one in ways_of(sampler, ("single",), distinct=distinct):
            for _, visible, moment in _asked():
                chains = one.sample(visible, moment.target, generator(1, "evidence")).chains
                kinds = {"chain": [c.edges for c in chains], "peer": [c.peers for c in chains]}
                said = [*map(told, kinds.get(distinct, [c.anchor for c in chains]))]
                require(len(set(said)) == len(said), f"two chains of one {distinct}", f"distinct: {distinct}")


@CONTRACT.rule
def bundles_are_exact(sampler: ChainSampler) -> None:
    """Bundles are over distinct own items, most recent first, and count exactly what the visible graph holds.

    A placebo may tell the bundles of another item.
    """
    for one in ways_of(sampler, ("bundle",)):
        for world, visible, moment in _asked():
            bundles = one.sample(visible, moment.target, generator(0, "evidence")).bundles
            anchors = [bundle.anchor.position for bundle in bundles]
            require(anchors == sorted(set(anchors), reverse=True), f"anchors {anchors}", "distinct, most recent first")
            items = (moment.target, *range(world.log.n_items))
            exact = any(told(_digests(one, visible, anchors, item)) == told([*bundles]) for item in items)
            require(exact, f"{bundles}", f"what the graph counts: {_digests(one, visible, anchors, moment.target)}")


@CONTRACT.rule
def the_same_generator_gives_the_same_evidence(sampler: ChainSampler) -> None:
    """The same generator gives the same evidence, whoever was asked about before; the graph is left as it was."""
    asked = [(visible, moment) for _, visible, moment in _asked()]
    before = [_everything(visible, moment) for visible, moment in asked]
    for one in ways_of(sampler):
        fresh = [type(one)(one.config) for _ in range(2)]
        first = [fresh[0].sample(v, m.target, generator(k, "evidence")) for k, (v, m) in enumerate(asked)]
        backwards = list(enumerate(asked))[::-1]
        second = [fresh[1].sample(v, m.target, generator(k, "evidence")) for k, (v, m) in backwards][::-1]
        require_same(second, first, "the same generators, questions in reverse order", "the same evidence")
    require(before == [_everything(v, m) for v, m in asked], "a graph that was changed", "the graph as it was")


@CONTRACT.rule
def what_the_query_must_not_see_changes_nothing(sampler: ChainSampler) -> None:
    """Other futures, another rating of the closing edge, or none, lead to the same evidence; no canary is in it."""
    for one in ways_of(sampler):
        for visibility in Visibility:
            for world in worlds():
                for moment in moments():
                    found = one.sample(world.visible(moment.query, visibility), moment.target, generator(2, "evidence"))
                    if moment.target != CANARY:
                        sung = any(edge.item == CANARY for chain in found.chains for edge in chain.edges)
                        require(not sung, f"an item of the future ({moment.what})", "what is visible alone")
                    for other in other_futures(world, moment, visibility):
                        seen = other.visible(moment.query, visibility)
                        again = one.sample(seen, moment.target, generator(2, "evidence"))
                        require_same(again, found, f"another future, {moment.what}", "the same evidence")


def ways_of(
    sampler: ChainSampler, kinds: tuple[str, ...] = ("single", "bundle"), **settings: object
) -> Iterator[ChainSampler]:
    """The sampler in these kinds of evidence and in every order, as far as its settings allow."""
    for evidence, order in product(kinds, ("any", "forward")):
        wanted = {**sampler.config.model_dump(), "evidence": evidence, "order": order, **settings}
        try:
            yield type(sampler)(validate(type(sampler.config), wanted, "check"))
        except ConfigError:
            continue


def _asked() -> Iterator[tuple[World, VisibleGraph, Moment]]:
    rated, unrated = worlds()
    yield from ((rated, *asked) for asked in visible_graphs(rated))
    yield from ((unrated, *asked) for asked in visible_graphs(unrated, (Visibility.PAST,)))


def _require_walk(chain: Chain, visible: VisibleGraph, moment: Moment, log: InteractionLog, *, forward: bool) -> None:
    own, *others = chain.edges
    user, history = visible.query.user, visible.history()
    require(told(own) in map(told, history), f"begins with {own}", f"one of the user's {len(history)} visible edges")
    require(own.item != moment.target, f"begins with {own}", "a shared item that is not the target itself")
    require(len(others) % 2 == 0 and others, f"{len(chain.edges)} edges", "an odd number, at least 3")
    here = own.item
    for shared, onward in zip(others[::2], others[1::2], strict=True):
        require(shared.item == here, f"{shared} after item {here}", "a peer's edge to the item where the walk stands")
        require(shared.user == onward.user != user, f"{shared}, {onward}", "two edges of one peer, who is not the user")
        require(shared.position != onward.position, f"{shared}, {onward}", "two edges")
        here = onward.item
    offsets, limit = log.offsets(), moment.query.time
    for edge in others:
        row = offsets[edge.user] + edge.position
        real = told((float(log.rating[row]), int(log.time[row]))) == told((edge.rating, edge.time))
        same = edge is others[-1] or edge.item == log.item[row]
        require(real and same and row < offsets[edge.user + 1], edge, "edges of the log")
        require(visible.n_edges == len(log) - len(_own(log, user)) or edge.time < limit, edge, "edges of the past")
    steps = others[-1].position - others[-2].position
    require(chain.gap_steps == steps, f"gap_steps {chain.gap_steps}", f"{steps}, as the edges say")
    require(steps > 0 or not forward, f"a peer who went {steps} steps", "peers who came to the end after i0")


def _own(log: InteractionLog, user: int) -> np.ndarray:
    return np.flatnonzero(log.user == user)


def _digests(sampler: ChainSampler, visible: VisibleGraph, anchors: list[int], item: int) -> list[Bundle]:
    """The exact bundles over `anchors` to `item`, as many of them as do not start at it."""
    usable = [anchor for anchor in anchors if visible.history_items()[anchor] != item]
    return visible.bundles(usable, item, forward=sampler.config.forward, window=sampler.config.window)


def _everything(visible: VisibleGraph, moment: Moment) -> str:
    closures = visible.closures(moment.target, forward=False)
    chains = [closures.chain(k) for k in range(len(closures))]
    audiences = [visible.audience(item) for item in range(visible.n_items)]
    return told((visible.history(), audiences, chains))
