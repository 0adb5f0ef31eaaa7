import json
import math

import pytest

from r2rec_bench.chains.closed_uniform import ClosedUniform, ClosedUniformConfig
from r2rec_bench.chains.lookup import sample_chains, to_json
from r2rec_bench.core.errors import ConfigError, InputError
from r2rec_bench.core.types import ItemCatalog
from r2rec_bench.data.base import Dataset, Fold

DAY = 86_400


@pytest.fixture
def dataset(log) -> Dataset:
    titles = tuple(f"Film {k}" for k in range(log.n_items))
    return Dataset("toy", log, ItemCatalog(titles, ("",) * log.n_items), synthetic=True, licence="none", origin="here")


@pytest.fixture
def find(dataset):
    def chains(user="u0", item="i5", *, n=64, seed=0, order="any", hops=4, **where):
        sampler = ClosedUniform(ClosedUniformConfig(order=order, hops=hops, evidence="single"))
        return sample_chains(dataset, user, item, sampler, n=n, seed=seed, **where)

    return chains


def ways(chains):
    return {(chain.edges[0].item, chain.edges[1].user) for chain in chains}


def test_over_the_whole_log_all_the_users_history_is_walked(find):
    assert ways(find()) == {
        ("i0", "u1"), ("i1", "u1"), ("i2", "u1"), ("i0", "u2"), ("i1", "u2"), ("i2", "u3"), ("i1", "u5"), ("i4", "u5")
    }  # fmt: skip


def test_original_ids_ratings_and_times_in_walking_order(find):
    chain = next(c for c in find(order="forward") if c.edges[1].user == "u3")
    known = [(e.user, e.item, e.time // DAY) for e in chain.edges]
    assert known == [("u0", "i2", 2), ("u3", "i2", 1), ("u3", "i5", 2)]
    assert math.isnan(chain.edges[0].rating)
    assert [e.rating for e in chain.edges[1:]] == [5, 5]
    assert (chain.gap_steps, chain.gap_days) == (1, 1)
    assert chain.titles == {"i2": "Film 2", "i5": "Film 5"}
    assert chain.closing is None


def test_the_closing_edge_is_told_and_used_nowhere(find):
    chains = find(item="i1")
    assert chains
    for chain in chains:
        assert (chain.closing.user, chain.closing.item, chain.closing.rating, chain.closing.time) == (
            "u0",
            "i1",
            3,
            DAY,
        )
        assert chain.closing not in chain.edges


def test_longer_chains_are_told_likewise(find):
    chain = find(hops=6, n=1)[0]
    assert [edge.user == before.user for before, edge in zip(chain.edges, chain.edges[1:], strict=False)] == [
        False, True, False, True
    ]  # fmt: skip
    assert len({edge.user for edge in chain.edges}) == len(chain.titles) == 3


def test_a_fold_shows_what_is_visible_when_it_is_asked_about(find):
    # Of u0 the folds are i0 i1 | i2 | i4; of each peer the last two interactions are held out likewise.
    assert ways(find(item="i2", fold=Fold.VALIDATION)) == set()
    assert ways(find(item="i1", fold=Fold.VALIDATION)) == {("i0", "u1")}
    assert ways(find(item="i2", fold=Fold.TEST)) == {("i0", "u1"), ("i1", "u1")}


def test_a_training_question_stands_where_its_edge_is(find):
    assert ways(find(item="i1", fold=Fold.TRAIN)) == {("i0", "u1")}
    assert ways(find(item="i0", fold=Fold.TRAIN)) == set()
    assert ways(find(item="i5", fold=Fold.TRAIN)) == {("i0", "u2")}


def test_a_time_hides_what_comes_at_or_after_it(find):
    assert ways(find(time=0)) == set()
    assert ways(find(time=2 * DAY)) == {("i0", "u2")}
    assert ways(find(time=3 * DAY)) == {("i0", "u2"), ("i1", "u2"), ("i2", "u3")}


def test_the_same_seed_draws_the_same_chains_and_another_does_not(find):
    def drawn(seed):
        return to_json(find(n=2, seed=seed))

    assert drawn(4) == drawn(4)
    assert len({drawn(seed) for seed in range(10)}) > 1


def test_json_has_null_for_what_is_missing(find):
    told = json.loads(to_json(find(item="i5", order="forward")), parse_constant=pytest.fail)
    chain = next(c for c in told if c["edges"][1]["user"] == "u5" and c["edges"][0]["item"] == "i1")
    assert chain == {
        "edges": [
            {"user": "u0", "item": "i1", "rating": 3.0, "time": DAY},
            {"user": "u5", "item": "i1", "rating": 2.0, "time": 2 * DAY},
            {"user": "u5", "item": "i5", "rating": None, "time": 3 * DAY},
        ],
        "closing": None,
        "gap_steps": 1,
        "gap_days": 1.0,
        "titles": {"i1": "Film 1", "i5": "Film 5"},
    }
    assert all(c["closing"] == {"rating": None, "time": 2 * DAY} for c in json.loads(to_json(find(item="i2"))))


def test_unknown_ids_are_refused_with_the_nearest(find):
    with pytest.raises(InputError, match=r"unknown user 'u55' in toy, which has 6, .*\. Did you mean 'u5'\?"):
        find(user="u55")
    with pytest.raises(InputError, match=r"unknown item 'film' in toy, which has 7, from 'i0' to 'i6'\.$"):
        find(item="film")


def test_a_fold_and_a_time_are_not_given_together(find):
    with pytest.raises(InputError, match="got both fold 'test' and time 5; give one of them"):
        find(fold=Fold.TEST, time=5)


def test_a_user_outside_the_folds_is_refused(dataset, find, log):
    short = log.select((log.user != 0) | (log.time < 2 * DAY))
    toy = Dataset("toy", short, dataset.catalog, synthetic=True, licence="none", origin="here")
    with pytest.raises(InputError, match="user 'u0' has 2 interactions, too few for folds"):
        sample_chains(toy, "u0", "i5", ClosedUniform(), n=1, seed=0, fold=Fold.TEST)


def test_too_many_chains_are_refused_like_any_setting(find):
    with pytest.raises(ConfigError, match=r"chains sample: 1 problem\n  n: .*less than or equal to 64; got 100"):
        find(n=100)
