from dataclasses import replace

import numpy as np
import pytest
from r2rec_baselines.biased_mf import BiasedMF, BiasedMFConfig
from sklearn.linear_model import Ridge

from r2rec_bench.core.errors import InputError, LeakageError
from r2rec_bench.core.types import InteractionLog


def fitted(log: InteractionLog, seed: int = 0, **chosen: float) -> BiasedMF:
    model = BiasedMF(BiasedMFConfig(**chosen))
    model.fit(log, seed)
    return model


@pytest.fixture
def rated(two_tastes) -> InteractionLog:
    """30 items of which the later ones are liked less, by 40 users of two tastes, and one who has none."""
    noise = np.random.default_rng(1).normal(0, 0.4, len(two_tastes))
    liked = 4 - two_tastes.item / 15 + (two_tastes.user % 2) * 0.5
    return replace(two_tastes, rating=np.clip(liked + noise, 1, 5).astype(np.float32))


def test_predictions_computed_by_hand(toy_log, asked):
    """Two users rate one item 5 and 1. By symmetry its bias is 0, and the users' b and p are opposite.

    With s = q^2 and weight 1, a user's regression on (1, q) reaches 2 (1 + s) / (2 + s), and all that is left costs
    8 / (2 + s) + s. That is least at s = sqrt(8) - 2, where 2 - 1 / sqrt(2) is reached. Nobody rated the other item.
    """
    log = replace(toy_log([[0], [0]], n_items=2), rating=np.array([5, 1], np.float32))
    predicted = fitted(log, factors=1, regularization=1, iterations=100).ratings(asked([0, 1], [[0, 1]] * 2))
    reached = 2 - 1 / np.sqrt(2)
    np.testing.assert_allclose(predicted[:, 0], [3 + reached, 3 - reached], atol=1e-6)
    assert predicted[0, 1] - 3 == pytest.approx(3 - predicted[1, 1], abs=1e-6)
    assert 3 < predicted[0, 1] < predicted[0, 0]


def test_an_items_vector_is_the_ridge_regression_of_its_ratings_on_the_users(rated):
    model = fitted(rated, factors=3, regularization=2.5)
    mean = rated.rating.astype(np.float64).mean()
    for item in (0, 7, 29):
        rows = rated.item == item
        users = model.user_vectors[rated.user[rows]]
        left = rated.rating[rows] - mean - users[:, 0]
        oracle = Ridge(alpha=2.5, fit_intercept=False).fit(users[:, 1:], left)
        np.testing.assert_allclose(model.item_vectors[item, 1:] - [mean, 0, 0, 0], oracle.coef_, atol=1e-8)
        assert model.item_vectors[item, 0] == 1


def test_when_converged_a_users_vector_is_the_ridge_regression_on_the_items(rated):
    model = fitted(rated, factors=2, regularization=4, iterations=150)
    mean = rated.rating.astype(np.float64).mean()
    items = model.item_vectors - [0, mean, 0, 0]
    for user in (0, 1, 39):
        rows = rated.user == user
        theirs = items[rated.item[rows]]
        left = rated.rating[rows] - mean - theirs[:, 1]
        oracle = Ridge(alpha=4, fit_intercept=False).fit(theirs[:, [0, 2, 3]], left)
        np.testing.assert_allclose(model.user_vectors[user, [0, 2, 3]], oracle.coef_, atol=1e-4)


def test_planted_biases_and_tastes_are_found(asked):
    """On held-out ratings the error is that of the noise and far below that of the items' means."""
    rng = np.random.default_rng(0)
    n_users, n_items = 60, 40
    truth = 3 + rng.normal(0, 0.4, (n_users, 1)) + rng.normal(0, 0.4, n_items)
    truth += rng.normal(0, 1, (n_users, 1)) * rng.normal(0, 0.6, n_items)
    seen = rng.random(truth.shape) < 0.6
    user, item = (axis.astype(np.int32) for axis in np.nonzero(seen))
    rating = (truth[seen] + rng.normal(0, 0.1, len(user))).astype(np.float32)
    names = tuple(map(str, range(n_users))), tuple(map(str, range(n_items)))
    log = InteractionLog(user, item, rating, np.arange(len(user)), *names)
    model = fitted(log, factors=2, regularization=0.3, iterations=30)
    predicted = model.score(asked(list(range(n_users)), [list(range(n_items))] * n_users))
    means = np.bincount(item, rating) / np.bincount(item)
    assert np.sqrt(np.mean((predicted - truth)[~seen] ** 2)) < 0.2
    assert np.sqrt(np.mean((means - truth)[~seen] ** 2)) > 0.5


def test_ratings_are_the_scores_cut_to_1_to_5(rated, asked):
    log = replace(rated, rating=np.where(rated.rating > 3.5, np.float32(5), np.float32(1)))
    model, candidates = fitted(log, regularization=0.1), asked(list(range(40)), [list(range(30))] * 40)
    scores = model.score(candidates)
    assert scores.min() < 1
    assert scores.max() > 5
    assert np.array_equal(model.ratings(candidates), np.clip(scores, 1, 5))


def test_ratings_one_star_higher_are_predicted_one_star_higher(rated, asked):
    candidates = asked([0, 1], [list(range(30))] * 2)
    low = fitted(replace(rated, rating=rated.rating - np.float32(0.5))).score(candidates)
    high = fitted(replace(rated, rating=rated.rating + np.float32(0.5))).score(candidates)
    np.testing.assert_allclose(high - low, 1, atol=1e-4)


def test_without_history_an_items_own_rating_is_predicted(rated, asked):
    [predicted] = fitted(rated).ratings(asked([40], [list(range(30))]))
    means = np.bincount(rated.item, rated.rating) / np.bincount(rated.item)
    assert np.corrcoef(predicted, means)[0, 1] > 0.95


def test_interactions_without_rating_are_not_learnt_from(rated, toy_log, asked):
    model = fitted(rated, seed=3)
    more = np.append(rated.rating, np.float32(np.nan))
    unrated = InteractionLog(
        np.append(rated.user, np.int32(40)),
        np.append(rated.item, np.int32(0)),
        more,
        np.append(rated.time, rated.time[-1]),
        rated.user_ids,
        rated.item_ids,
    )
    candidates = asked(list(range(40)), [list(range(30))] * 40)
    assert np.array_equal(fitted(unrated, seed=3).ratings(candidates), model.ratings(candidates))


def test_without_ratings_the_error_says_what_to_do(two_tastes):
    with pytest.raises(InputError, match="predicts ratings, and these interactions have none; leave it out"):
        fitted(two_tastes)


def test_a_log_that_goes_on_after_the_query_is_refused(rated, asked):
    model = fitted(rated)
    for answer in (model.score, model.ratings):
        with pytest.raises(LeakageError, match=r"BiasedMF was fitted on 8 items of user index 2, of which .* first 5"):
            answer(asked([2], [[1, 2]], position=5))
