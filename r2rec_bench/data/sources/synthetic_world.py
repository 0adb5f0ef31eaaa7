"""How the people of a generated world act, and how well the best possible ranker foresees them.

A user of the world acts in a row. The next item is drawn, among those not yet touched, with probability

    p(item | history) ∝ popularity · exp(taste · ⟨user, item⟩) · (1 + peer_effect · Σ_k decay^k · follows[h_k, item])

where h_0, h_1, ... is the history, latest first. `follows` is a fixed sparse relation between items (series, authors,
accessories) that all people share: it is what a peer's next step tells about one's own, and with `peer_effect` 0
chains tell nothing but taste. Tastes are drawn per user and shared by all domains, so that what is learnt in one can
help in another. A share `noise` of the steps ignores all this and is uniform.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from r2rec_bench.core.kernels import kernel
from r2rec_bench.core.types import BoolArray, FloatArray, Int32Array, Int64Array

DIMENSIONS = 8
"""Of the taste space."""
_MEMORY = 8
"""How many latest items have successors that beckon."""
_DECAY = 0.8
_NEGATIVES = 19


class World(NamedTuple):
    """What decides every draw.

    Attributes:
        people: tastes, float64 (users, 8).
        items: positions in the taste space, float64 (items, 8).
        popularity: float64 (items,), sums to 1.
        follows: successors of each item, int32 (items, followers).
        quality: mean rating of each item, float64 (items,).
        taste: as in `SyntheticConfig`; so are the two below.
        peer_effect: pull of the latest item's successors.
        noise: share of uniform steps.
    """

    people: FloatArray
    items: FloatArray
    popularity: FloatArray
    follows: Int32Array
    quality: FloatArray
    taste: float
    peer_effect: float
    noise: float


@kernel
def walk(world: World, lengths: Int64Array, seed: int) -> tuple[Int32Array, FloatArray]:
    """All users' items in the order touched, and per user how likely the best ranker puts their last one first.

    Args:
        world: what decides every draw.
        lengths: interactions per user, int64 (users,), at most half of the items.
        seed: of all draws, below 2^32.

    Returns:
        Items, int32 (sum of lengths,), and probabilities, float64 (users,), 0 to 1.

    The best ranker orders candidates by the true probability of being next, and equal ones by chance; the others are 19
    distinct uniform untouched items.
    """
    np.random.seed(seed)  # numba's own generator, local to compiled code
    n_items = len(world.popularity)
    out = np.empty(lengths.sum(), np.int32)
    best = np.zeros(len(lengths))
    start = 0
    for user in range(len(lengths)):
        liking = np.empty(n_items)
        for item in range(n_items):
            likes = 0.0
            for k in range(DIMENSIONS):
                likes += world.items[item, k] * world.people[user, k]
            liking[item] = world.popularity[item] * np.exp(world.taste * likes)
        below = np.cumsum(liking)
        free = below[-1]
        touched = np.zeros(n_items, np.bool_)
        walked = out[start : start + lengths[user]]
        for step in range(lengths[user]):
            drawn = _step(world, liking, below, free, touched, walked[:step])
            touched[drawn] = True
            free -= liking[drawn]
            walked[step] = drawn
        history, last = walked[:-1], walked[-1]
        # Noise adds the same to all candidates; where there is nothing else, all are equal.
        decided = 1.0 if world.noise < 1 else 0.0
        highest = decided * _weight(world, liking, history, last)
        better, equal = 0, 0
        for _ in range(_NEGATIVES):
            other = _uniform(touched)
            touched[other] = True
            weight = decided * _weight(world, liking, history, other)
            better += weight > highest
            equal += weight == highest
        if better == 0:
            best[user] = 1.0 / (1 + equal)
        start += lengths[user]
    return out, best


@kernel
def _step(
    world: World, liking: FloatArray, below: FloatArray, free: float, touched: BoolArray, history: Int32Array
) -> int:
    """Draw the next item: by noise, from the successors of what came last, or by liking.

    `below` is the running sum of `liking`, and `free` the liking of all that is untouched.
    """
    if np.random.random() < world.noise:
        return _uniform(touched)
    pulled = 0.0
    for back in range(min(len(history), _MEMORY)):
        for successor in world.follows[history[-1 - back]]:
            if not touched[successor]:
                pulled += world.peer_effect * _DECAY**back * liking[successor]
    ball = np.random.random() * (free + pulled)
    if ball < pulled:
        for back in range(min(len(history), _MEMORY)):
            for successor in world.follows[history[-1 - back]]:
                if not touched[successor]:
                    ball -= world.peer_effect * _DECAY**back * liking[successor]
                    if ball < 0:
                        return successor
    while True:
        drawn = min(np.searchsorted(below, np.random.random() * below[-1], side="right"), len(liking) - 1)
        if not touched[drawn]:
            return drawn


@kernel
def _uniform(touched: BoolArray) -> int:
    """A uniform item that is not `touched`."""
    while True:
        item = np.random.randint(len(touched))
        if not touched[item]:
            return item


@kernel
def _weight(world: World, liking: FloatArray, history: Int32Array, item: int) -> float:
    """What the probability of `item` being next is proportional to, noise apart."""
    pull = 0.0
    for back in range(min(len(history), _MEMORY)):
        for successor in world.follows[history[-1 - back]]:
            if successor == item:
                pull += _DECAY**back
    return liking[item] * (1 + world.peer_effect * pull)
