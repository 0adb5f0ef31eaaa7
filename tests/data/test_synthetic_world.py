"""The walk draws from the distribution that it documents: the oracle is the formula, in plain NumPy."""

import numpy as np
import pytest
from scipy.stats import chi2

from r2rec_bench.data.sources.synthetic_world import DIMENSIONS, World, walk

USERS, ITEMS, LENGTH = 4_000, 40, 8


def world(*, taste: float, peer_effect: float, noise: float, skew: float = 1.0) -> World:
    rng = np.random.default_rng(0)
    popularity = (np.arange(ITEMS) + 1.0) ** -skew
    return World(
        np.repeat(rng.normal(size=(1, DIMENSIONS)) / np.sqrt(DIMENSIONS), USERS, axis=0),
        rng.normal(size=(ITEMS, DIMENSIONS)),
        popularity / popularity.sum(),
        rng.integers(0, ITEMS, (ITEMS, 3)).astype(np.int32),
        np.full(ITEMS, 3.0),
        taste,
        peer_effect,
        noise,
    )


def next_item(of: World, history: list[int]) -> np.ndarray:
    """Probability of each item being next, (items,): the formula of the module's docstring."""
    boost = np.ones(ITEMS)
    for k, item in enumerate(history[::-1]):
        for successor in of.follows[item]:
            boost[successor] += of.peer_effect * 0.8**k
    weight = of.popularity * np.exp(of.taste * of.items @ of.people[0]) * boost
    weight[history] = 0
    free = np.ones(ITEMS)
    free[history] = 0
    return (1 - of.noise) * weight / weight.sum() + of.noise * free / free.sum()


@pytest.mark.parametrize(
    "settings",
    [
        {"taste": 0.0, "peer_effect": 0.0, "noise": 0.0},
        {"taste": 1.0, "peer_effect": 0.0, "noise": 0.3},
        {"taste": 0.5, "peer_effect": 30.0, "noise": 0.1},
        {"taste": 0.0, "peer_effect": 1000.0, "noise": 0.5},
        {"taste": 0.0, "peer_effect": 5.0, "noise": 1.0},
    ],
)
def test_items_are_drawn_as_often_as_the_formula_says(settings):
    of = world(**settings)
    items, _ = walk(of, np.full(USERS, LENGTH, np.int64), 5)
    walks = items.reshape(USERS, LENGTH)
    assert all(len(set(walked)) == LENGTH for walked in walks.tolist())
    for step in (0, 1, LENGTH - 1):
        expected = np.sum([next_item(of, walked[:step]) for walked in walks.tolist()], axis=0)
        seen = np.bincount(walks[:, step], minlength=ITEMS)
        statistic = ((seen - expected) ** 2 / expected).sum()
        # Given the histories the draws are independent; their variance is below a multinomial's, so this is lenient.
        assert statistic < chi2.ppf(1 - 1e-4, ITEMS - 1)


def test_the_successor_of_the_latest_item_follows_as_often_as_the_formula_says():
    of = world(taste=0.0, peer_effect=30.0, noise=0.2, skew=0.0)
    walks = walk(of, np.full(USERS, 3, np.int64), 1)[0].reshape(USERS, 3).tolist()
    # A successor may be named twice by one item; it counts once as drawn.
    expected = [next_item(of, walked[:2])[np.unique(of.follows[walked[1]])].sum() for walked in walks]
    seen = [walked[2] in of.follows[walked[1]] for walked in walks]
    deviation = np.sqrt(np.sum([p * (1 - p) for p in expected]))
    assert abs(np.sum(seen) - np.sum(expected)) < 4 * deviation


def test_the_best_ranker_is_as_good_as_ranking_by_the_formula():
    """Simulated with negatives of our own: the two agree within four standard errors of their difference."""
    of = world(taste=0.7, peer_effect=30.0, noise=0.1)
    items, best = walk(of, np.full(USERS, LENGTH, np.int64), 2)
    rng = np.random.default_rng(1)
    won = []
    for walked in items.reshape(USERS, LENGTH).tolist():
        p = next_item(of, walked[:-1])
        others = rng.choice(np.setdiff1d(np.arange(ITEMS), walked), 19, replace=False)
        won.append(p[walked[-1]] > p[others].max())
    assert 0 < best.mean() < 1
    assert abs(np.mean(won) - best.mean()) < 4 * np.sqrt(2 * 0.25 / USERS)


def test_equal_candidates_are_ordered_by_chance():
    of = world(taste=0.0, peer_effect=0.0, noise=0.0, skew=0.0)
    _, best = walk(of, np.full(USERS, LENGTH, np.int64), 2)
    assert np.allclose(best, 1 / 20)


def test_the_seed_decides():
    of = world(taste=0.5, peer_effect=30.0, noise=0.1)
    lengths = np.full(USERS, LENGTH, np.int64)
    assert (walk(of, lengths, 1)[0] == walk(of, lengths, 1)[0]).all()
    assert (walk(of, lengths, 1)[0] != walk(of, lengths, 2)[0]).any()
