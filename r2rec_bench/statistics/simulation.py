"""Do the statistics keep their word? How often intervals and tests are right about hits whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from r2rec_bench.core.seeds import generator
from r2rec_bench.core.types import FloatArray
from r2rec_bench.statistics.bootstrap import mean_interval
from r2rec_bench.statistics.holm import holm
from r2rec_bench.statistics.paired import compare

RESAMPLES = 999
"""Unless another number is asked for: level × (resamples + 1) should be whole."""


@dataclass(frozen=True, slots=True)
class World:
    """Systems of equal worth, each run under several seeds, asked about the same users.

    Attributes:
        users: asked.
        seeds: of each system; no two systems share one.
        rate: hit rate over all users and seeds there could be, in (0, 1).
        seed_sd: standard deviation of the hit rate between seeds, over all users there could be.
        alike: correlation of a user's hits under two seeds, in (0, 1).
        shared: probability that a user has the same chance of a hit under the systems; 1 makes them one system under
            other seeds: an A/A comparison.
    """

    users: int
    seeds: int
    rate: float = 0.5
    seed_sd: float = 0.0
    alike: float = 0.7
    shared: float = 0.5


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of the repeats, in [0, 1], with its Monte Carlo standard error."""

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How often the statistics were right in a world.

    Attributes:
        world: simulated.
        mean_covered: intervals of a system's hit rate that hold the truth.
        difference_covered: intervals of a difference that hold the truth.
        found: comparisons with p ≤ 1 − level; a false alarm each where the systems are of equal worth.
        family_found: families of comparisons with any such p after Holm.
    """

    world: World
    mean_covered: Rate
    difference_covered: Rate
    found: Rate
    family_found: Rate


GRID = (
    *(World(users, seeds, seed_sd=sd) for users in (300, 1000) for seeds in (1, 3) for sd in (0.0, 0.005, 0.01, 0.02)),
    *(World(1000, seeds, seed_sd=sd) for seeds in (2, 5, 10) for sd in (0.0, 0.02)),
    *(World(1000, 3, rate, sd) for rate in (0.3, 0.7) for sd in (0.0, 0.02)),
    *(World(1000, seeds, seed_sd=sd, shared=1.0) for seeds in (1, 3, 5) for sd in (0.0, 0.01, 0.02)),
)
"""Test sets, hit rates and seeds as they are in practice.

`[calibrate(world, repeats=1000, seed=0) for world in GRID]` gives what `SeedSpread.reach` quotes, in a few minutes.
"""


def calibrate(
    world: World,
    *,
    repeats: int,
    seed: int,
    rivals: int = 3,
    effect: float = 0.0,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Calibration:
    """Ask again and again, and count how often the intervals hold the truth and the tests find something.

    Args:
        world: to ask in.
        repeats: how often; each draws users, seeds and hits anew.
        seed: of all draws.
        rivals: comparisons of the first system in a family.
        effect: by how much the first system's hit rate is above the others'; what is found then is the power.
        level: of the intervals; tests are at 1 − level.
        resamples: of each interval and test.
    """
    covered = np.empty((repeats, 4))
    for repeat in range(repeats):
        rng = generator(seed, "calibration", repeat)
        first, *others = hits(world, rng, 1 + rivals, effect)
        mean = mean_interval(first, rng, level=level, resamples=resamples)
        compared = [compare(first - other, rng, level=level, resamples=resamples) for other in others]
        p_values = np.array([comparison.p_value for comparison in compared])
        differences = [comparison.difference for comparison in compared]
        covered[repeat] = (
            mean.low <= world.rate + effect <= mean.high,
            np.mean([difference.low <= effect <= difference.high for difference in differences]),
            np.mean(p_values <= 1 - level),
            (holm(p_values) <= 1 - level).any(),
        )
    return Calibration(world, *map(_rate, covered.T))


def hits(world: World, rng: np.random.Generator, systems: int, effect: float = 0.0) -> FloatArray:
    """Hits of systems, the first better by `effect`, each 0 or 1, float64 (systems, users, seeds).

    Args:
        world: to ask in.
        rng: for users, seeds and hits.
        systems: how many.
        effect: on the hit rate.
    """
    # With chances from a beta distribution, hits under two seeds correlate by 1 / (1 + both parameters together).
    concentration = 1 / world.alike - 1
    chance = rng.beta(world.rate * concentration, (1 - world.rate) * concentration, (systems, world.users))
    chance = np.where(rng.random(world.users) < world.shared, chance[0], chance)
    # What moves a hit rate moves users in proportion to p (1 − p): those in doubt most, and nobody beyond 0 and 1.
    room = world.rate * (1 - world.rate) * (1 - world.alike)
    shift = rng.normal(0, world.seed_sd, (systems, 1, world.seeds))
    shift[0] += effect
    chances = chance[..., None] + (chance * (1 - chance))[..., None] * np.clip(shift / room, -1, 1)
    return (rng.random(chances.shape) < chances).astype(np.float64)


def _rate(shares: FloatArray) -> Rate:
    return Rate(float(shares.mean()), float(shares.std(ddof=1)) / len(shares) ** 0.5)
