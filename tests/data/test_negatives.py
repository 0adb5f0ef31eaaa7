from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from r2rec_bench.core.errors import InputError
from r2rec_bench.data.base import negative_samplers
from r2rec_bench.data.negatives.popularity import Popularity
from r2rec_bench.data.negatives.uniform import Uniform

SAMPLERS = [Uniform(), Popularity()]


def counts_of_sets(sampler, touched, popularity, n, draws):
    rng = np.random.default_rng(3)
    found = {}
    for _ in range(draws):
        drawn = tuple(sorted(sampler.draw(touched, int(touched[0]), popularity, n, rng).tolist()))
        found[drawn] = found.get(drawn, 0) + 1
    return found


@given(st.integers(1, 40), st.data())
def test_negatives_are_distinct_and_untouched(n_items, data):
    touched = np.array(sorted(data.draw(st.sets(st.integers(0, n_items - 1), min_size=1))), dtype=np.int32)
    n = data.draw(st.integers(0, n_items - len(touched)))
    popularity = np.arange(n_items, dtype=np.int64)
    for sampler in SAMPLERS:
        drawn = sampler.draw(touched, int(touched[0]), popularity, n, np.random.default_rng(0))
        assert drawn.dtype == np.int32
        assert len(set(drawn.tolist())) == len(drawn) == n
        assert not set(drawn.tolist()) & set(touched.tolist())
        assert all(0 <= item < n_items for item in drawn)


def test_uniform_gives_every_set_the_same_chance():
    touched = np.array([0, 3, 4], dtype=np.int32)
    found = counts_of_sets(Uniform(), touched, np.array([9, 1, 1, 9, 9, 50, 0, 1]), 2, 6_000)
    assert len(found) == 10  # two of the five untouched
    assert chisquare(list(found.values())).pvalue > 0.001


def test_popularity_is_sequential_sampling_without_replacement():
    popularity = np.array([100, 0, 1, 3, 7])
    found = counts_of_sets(Popularity(), np.array([0], dtype=np.int32), popularity, 2, 6_000)
    weight = {item: popularity[item] + 1 for item in range(1, 5)}
    total = sum(weight.values())
    expected = dict.fromkeys(found, 0.0)
    for first, second in permutations(weight, 2):
        chance = weight[first] / total * weight[second] / (total - weight[first])
        expected[tuple(sorted((first, second)))] += 6_000 * chance
    assert len(found) == 6
    assert chisquare(list(found.values()), list(expected.values())).pvalue > 0.001


@pytest.mark.parametrize("name", ["uniform", "popularity"])
def test_too_few_untouched_items_is_an_error(name):
    sampler = negative_samplers.get(name)()
    with pytest.raises(InputError, match="3 of 5 items are touched; 4 negatives need 2 more"):
        sampler.draw(np.array([0, 1, 2], dtype=np.int32), 0, np.ones(5, dtype=np.int64), 4, np.random.default_rng(0))
