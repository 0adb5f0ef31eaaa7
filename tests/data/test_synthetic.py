import numpy as np
import pytest
from pydantic import ValidationError

from r2rec_bench.core.types import InteractionLog, Query, Visibility
from r2rec_bench.data.base import Dataset, sources
from r2rec_bench.data.sources.synthetic import Synthetic, SyntheticConfig
from r2rec_bench.graph import InteractionGraph

NOTHING_TO_LEARN = {"taste": 0.0, "peer_effect": 0.0, "skew": 0.0}


def made(**settings) -> Dataset:
    return Synthetic(SyntheticConfig(**{"users": 300, "items": 100, "interactions": 20, **settings})).load()


def columns(log: InteractionLog) -> list[bytes]:
    return [column.tobytes() for column in (log.user, log.item, log.rating, log.time)]


def test_it_is_registered_and_says_what_it_is():
    assert sources.get("synthetic") is Synthetic
    data = made(seed=3)
    assert data.synthetic
    assert "domain movies, seed 3" in data.origin


def test_a_log_is_well_formed():
    data = made()
    log, start = data.log, data.log.offsets()
    assert len(start) == 301
    assert np.diff(start).min() >= 5
    assert np.diff(start).max() <= 50
    assert np.diff(start).mean() == pytest.approx(20, rel=0.15)
    assert log.item.dtype == np.int32
    assert set(np.unique(log.rating)) == {1, 2, 3, 4, 5}
    for user in range(log.n_users):
        own = slice(start[user], start[user + 1])
        assert (np.diff(log.time[own]) >= 0).all()
        assert len(set(log.item[own])) == start[user + 1] - start[user]
    assert np.diff(log.user).min() >= 0


@pytest.mark.parametrize("domain", ["movies", "books", "electronics"])
def test_titles_are_unique_and_successors_are_sequels(domain):
    titles = made(domain=domain, items=400).catalog.titles
    assert len(set(titles)) == len(titles) == 400
    assert any(title.endswith(", part 2") for title in titles)


def test_the_same_settings_give_the_same_world_and_another_seed_another():
    one, other = made(seed=1), made(seed=1)
    assert columns(one.log) == columns(other.log)
    assert (one.catalog, one.bayes_hr1) == (other.catalog, other.bayes_hr1)
    assert columns(one.log) != columns(made(seed=2).log)


def test_the_stronger_the_peer_effect_the_more_can_be_foreseen():
    best = [made(users=1_500, items=1_000, peer_effect=effect).bayes_hr1 for effect in (0.0, 20.0, 200.0, 1000.0)]
    # Four standard errors of a share among 1,500 users are at most 0.052.
    assert (np.diff(best) > 0.052).all()
    assert best[-1] < 1


@pytest.mark.parametrize("settings", [NOTHING_TO_LEARN, {"noise": 1.0}])
def test_with_nothing_to_learn_the_best_is_chance(settings):
    assert made(**settings).bayes_hr1 == pytest.approx(1 / 20)


@pytest.mark.parametrize("settings", [{"taste": 1.0}, {"skew": 1.0}])
def test_taste_and_popularity_can_be_learnt_alone(settings):
    assert made(users=1_000, **{**NOTHING_TO_LEARN, **settings}).bayes_hr1 > 0.15


def mean_likes(data: Dataset) -> np.ndarray:
    """Each user's ratings less the items' means, averaged by the items' kind."""
    log = data.log
    kind = np.array([int(text.split()[1]) for text in data.catalog.attributes])[log.item]
    mean = np.bincount(log.item, log.rating, log.n_items) / np.maximum(np.bincount(log.item, minlength=log.n_items), 1)
    residual = log.rating - mean[log.item]
    cell = log.user.astype(np.int64) * 8 + kind
    counts = np.bincount(cell, minlength=8 * log.n_users)
    return np.bincount(cell, residual, 8 * log.n_users) / np.maximum(counts, 1)


def test_domains_share_their_users_tastes_but_not_their_items():
    world = {"users": 2_000, "interactions": 40, "taste": 0.0}
    movies, books = made(**world), made(domain="books", **world)
    strangers = made(domain="books", seed=1, **world)
    assert movies.log.user_ids == books.log.user_ids
    assert not set(movies.log.item_ids) & set(books.log.item_ids)
    same = np.corrcoef(mean_likes(movies), mean_likes(books))[0, 1]
    other = np.corrcoef(mean_likes(movies), mean_likes(strangers))[0, 1]
    assert abs(other) < 0.03
    assert same > 0.1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"items": 50, "interactions": 30},
            r"interactions \(30\) must be at most half of items \(50\).* raise items to 60",
        ),
        (
            {"items": 50, "followers": 26},
            r"followers \(26\) must be at most half of items \(50\); lower followers to 25",
        ),
        ({"items": 39}, "greater than or equal to 40"),
        ({"noise": 1.5}, "less than or equal to 1"),
        ({"domain": "music"}, "'movies', 'books' or 'electronics'"),
        ({"interactions": 4}, "greater than or equal to 5"),
    ],
)
def test_impossible_worlds_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        SyntheticConfig(**{"interactions": 20, **settings})


def forward_auc(data: Dataset) -> float:
    """How often forward bundles favour the last item of a user over a uniform untouched one, ties counted half."""
    log = data.log
    graph = InteractionGraph(log, Visibility.FOLD)
    rng = np.random.default_rng(0)
    start = log.offsets()
    won = []
    for user in range(log.n_users):
        items = log.item[start[user] : start[user + 1]]
        position = len(items) - 1
        visible = graph.visible(Query(user, int(log.time[start[user] + position]), position))
        other = int(rng.choice(np.setdiff1d(np.arange(log.n_items), items)))
        asked = (int(items[-1]), other)
        anchors = range(position - 1, max(-1, position - 5), -1)
        told = [visible.bundles(list(anchors), target, forward=True, window=3) for target in asked]
        positive, negative = (sum(np.log2(b.forward_lift) for b in bundles) for bundles in told)
        won.append(0.5 + 0.5 * np.sign(positive - negative))
    return float(np.mean(won))


def test_forward_bundles_tell_what_comes_next_where_peers_matter():
    world = {"users": 1_200, "items": 150, "noise": 0.0}
    # The standard error of a share among 1,200 users is at most 0.0144; the bounds are four of them apart from 0.5.
    assert forward_auc(made(peer_effect=500.0, **world)) > 0.8
    assert abs(forward_auc(made(**NOTHING_TO_LEARN, **world)) - 0.5) < 0.058
