import numpy as np
import pytest
from r2rec_baselines.item_knn import ItemKNN, ItemKNNConfig

from r2rec_bench.core.config import validate
from r2rec_bench.core.errors import ConfigError

FOUR_USERS = [[0, 1], [1, 0, 2], [0, 1, 2], [2, 3]]
# Counts: 3, 3, 3, 1. Together: 0 and 1 three times, 0 and 2 twice, 1 and 2 twice, 2 and 3 once.


def fitted(log, **settings) -> ItemKNN:
    model = ItemKNN(ItemKNNConfig(**settings))
    model.fit(log, seed=0)
    return model


def test_scores_computed_by_hand(toy_log, asked):
    model = fitted(toy_log(FOUR_USERS, n_items=5))
    scores = model.score(asked([0, 3], [[2, 3, 4], [0, 1, 4]]))
    # sqrt((3 + 10)(3 + 10)) = 13: item 2 is reached from 0 and from 1, twice each; 3 and 4 from neither.
    np.testing.assert_allclose(scores[0], [2 / 13 + 2 / 13, 0, 0], rtol=1e-12)
    np.testing.assert_allclose(scores[1], [2 / 13, 2 / 13, 0], rtol=1e-12)


def test_without_shrinkage_it_is_the_cosine(toy_log, asked):
    scores = fitted(toy_log(FOUR_USERS, n_items=5), shrinkage=0).score(asked([0, 3], [[2, 4], [3, 0]]))
    # Item 3 was had by one user, and with item 2 by that one; an item does not speak for itself.
    np.testing.assert_allclose(scores, [[4 / 3, 0], [1 / np.sqrt(3), 2 / 3]], rtol=1e-12)


def test_k_keeps_the_nearest_neighbours_of_each_candidate(toy_log, asked):
    # Item 3 goes with 0 three times, with 1 twice, with 2 once.
    log = toy_log([[0, 1, 2, 3], [0, 1, 3], [0, 3], [1, 2], [2, 1], [0, 1, 2]], n_items=4)
    candidates = asked([5], [[3]])
    to_0, to_1, to_2 = 3 / np.sqrt(14 * 13), 2 / np.sqrt(15 * 13), 1 / np.sqrt(14 * 13)
    assert fitted(log, k=1).score(candidates)[0, 0] == pytest.approx(to_0)
    assert fitted(log, k=2).score(candidates)[0, 0] == pytest.approx(to_0 + to_1)
    assert fitted(log, k=9).score(candidates)[0, 0] == pytest.approx(to_0 + to_1 + to_2)


def test_neighbours_that_tie_with_the_last_one_stay(toy_log, asked):
    log = toy_log([[0, 2], [1, 2], [0, 1]], n_items=3)
    assert fitted(log, k=1).score(asked([2], [[2]]))[0, 0] == pytest.approx(2 / 12)


def test_only_what_came_before_the_query_counts_as_history(toy_log, asked):
    model = fitted(toy_log(FOUR_USERS, n_items=5))
    assert model.score(asked([3], [[0, 1]], position=1)).tolist() == [[pytest.approx(2 / 13)] * 2]
    assert model.score(asked([2], [[2, 3]], position=1)).tolist() == [[pytest.approx(2 / 13), 0]]


def test_a_repeated_pair_counts_once(toy_log, asked):
    once, twice = toy_log([[0, 1], [0]], n_items=2), toy_log([[0, 1, 1], [0, 0]], n_items=2)
    candidates = asked([1], [[1]])
    assert fitted(twice).score(candidates).tolist() == fitted(once).score(candidates).tolist()


def test_a_bad_setting_is_named():
    with pytest.raises(ConfigError, match=r"k: Input should be greater than or equal to 1; got 0"):
        validate(ItemKNNConfig, {"k": 0}, source="here")
    with pytest.raises(ConfigError, match=r"unknown key 'shrinkag'; allowed: k, shrinkage\. Did you mean 'shrinkage'"):
        validate(ItemKNNConfig, {"shrinkag": 1}, source="here")
