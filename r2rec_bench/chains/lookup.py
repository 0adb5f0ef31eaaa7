"""Chains between one user and one item, by their original ids: to look at, and to check by hand."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from r2rec_bench.chains.base import ChainSampler
from r2rec_bench.core.config import validate
from r2rec_bench.core.errors import InputError, nearest
from r2rec_bench.core.seeds import generator
from r2rec_bench.core.types import Chain, InteractionLog, Query, Visibility
from r2rec_bench.data.base import Dataset, Fold
from r2rec_bench.data.splits.leave_last_out import LeaveLastOut
from r2rec_bench.graph import InteractionGraph, VisibleGraph


@dataclass(frozen=True, slots=True)
class NamedEdge:
    """One interaction by original ids; `rating` is NaN where there is none, `time` is s UTC."""

    user: str
    item: str
    rating: float
    time: int


@dataclass(frozen=True, slots=True)
class NamedChain:
    """A closed chain by original ids.

    Attributes:
        edges: the known edges in walking order.
        closing: the edge from the user to the item, masked: in no edge, weight or count of the search. None where the
            log has none.
        gap_steps: for the last peer, own interactions from the shared item to the target; negative if before.
        gap_days: the same in days.
        titles: of the items, in walking order.
    """

    edges: tuple[NamedEdge, ...]
    closing: NamedEdge | None
    gap_steps: int
    gap_days: float
    titles: dict[str, str]


def sample_chains(
    dataset: Dataset,
    user: str,
    item: str,
    sampler: ChainSampler,
    *,
    n: int,
    seed: int,
    fold: Fold | None = None,
    time: int | None = None,
) -> list[NamedChain]:
    """Up to `n` single chains from `user` to `item`, over the whole log unless a fold or a time is given.

    Args:
        dataset: where to look.
        user: original id.
        item: original id.
        sampler: how chains are drawn; its own `n` and `evidence` do not count here.
        n: how many.
        seed: the same seed draws the same chains.
        fold: see what is visible when this fold of a leave-last-out split is asked about.
        time: see only what came before this second, UTC.

    Raises:
        InputError: an id is unknown, both fold and time are given, or the user has too few interactions for folds.
        ConfigError: `n` is out of the sampler's range.
    """
    log = dataset.log
    u, i = _index("user", user, log.user_ids, dataset.name), _index("item", item, log.item_ids, dataset.name)
    visible = _visible(log, u, i, fold, time)
    settings = {**sampler.config.model_dump(), "n": n, "evidence": "single"}
    config = validate(type(sampler.config), settings, "chains sample")
    rng = generator(seed, "chains sample", user, item)
    chains = type(sampler)(config).sample(visible, i, rng).chains
    closing = _closing(log, u, i)
    return [_named(chain, closing, dataset) for chain in chains]


def to_json(chains: Sequence[NamedChain]) -> str:
    """A JSON list of objects with `edges`, `closing`, `gap_steps`, `gap_days` and `titles`; what is missing is null."""
    objects = [
        {
            "edges": [{"user": e.user, "item": e.item, "rating": _or_null(e.rating), "time": e.time} for e in c.edges],
            "closing": c.closing and {"rating": _or_null(c.closing.rating), "time": c.closing.time},
            "gap_steps": c.gap_steps,
            "gap_days": c.gap_days,
            "titles": c.titles,
        }
        for c in chains
    ]
    return json.dumps(objects, indent=2, ensure_ascii=False, allow_nan=False)


def _or_null(rating: float) -> float | None:
    return None if math.isnan(rating) else rating


def _index(kind: str, name: str, ids: Sequence[str], where: str) -> int:
    if name in ids:
        return ids.index(name)
    near = nearest(name, ids)
    hint = f" Did you mean '{near}'?" if near else ""
    raise InputError(f"unknown {kind} '{name}' in {where}, which has {len(ids)}, from '{ids[0]}' to '{ids[-1]}'.{hint}")


def _visible(log: InteractionLog, user: int, item: int, fold: Fold | None, time: int | None) -> VisibleGraph:
    own = slice(*log.offsets()[user : user + 2])
    if fold is not None and time is not None:
        raise InputError(f"got both fold '{fold.name.lower()}' and time {time}; give one of them")
    if time is not None:
        position = int(log.time[own].searchsorted(time))
        return InteractionGraph(log, Visibility.PAST).visible(Query(user, time, position))
    if fold is None:
        query = Query(user, int(log.time[own][-1]), len(log.time[own]))
        return InteractionGraph(log, Visibility.FOLD).visible(query)
    folds = LeaveLastOut().split(log)
    if (folds.fold[own] == Fold.UNUSED).any():
        raise InputError(f"user '{log.user_ids[user]}' has {len(log.time[own])} interactions, too few for folds")
    # In training the question stands within its own fold: at the edge to the item, if it is there.
    seen = folds.visible_log(max(fold, Fold.VALIDATION))
    items = seen.item[seen.user == user].tolist()
    position = items.index(item) if fold is Fold.TRAIN and item in items else len(items)
    query = Query(user, int(log.time[own][position]), position)
    return InteractionGraph(seen, Visibility.FOLD).visible(query)


def _closing(log: InteractionLog, user: int, item: int) -> NamedEdge | None:
    rows = np.flatnonzero((log.user == user) & (log.item == item))
    return _named_edge(log, user, item, float(log.rating[rows[0]]), int(log.time[rows[0]])) if len(rows) else None


def _named(chain: Chain, closing: NamedEdge | None, dataset: Dataset) -> NamedChain:
    log = dataset.log
    edges = tuple(_named_edge(log, e.user, e.item, e.rating, e.time) for e in chain.edges)
    titles = {log.item_ids[e.item]: dataset.catalog.titles[e.item] for e in chain.edges}
    return NamedChain(edges, closing, chain.gap_steps, chain.gap_days, titles)


def _named_edge(log: InteractionLog, user: int, item: int, rating: float, time: int) -> NamedEdge:
    return NamedEdge(log.user_ids[user], log.item_ids[item], rating, time)
