"""Metrics against hand-computed values, brute force with ties, and trec_eval without."""

import math

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from ir_measures import RR, Success, nDCG

from r2rec_bench.core.config import Spec, validate
from r2rec_bench.core.errors import ConfigError
from r2rec_bench.core.types import Candidates, Cost, Query, Ranking
from r2rec_bench.evaluation.metrics.base import Answered, metrics, ranks
from r2rec_bench.evaluation.metrics.hr import HitRatio, HitRatioConfig
from r2rec_bench.evaluation.metrics.ndcg import NDCG, NDCGConfig


def asked(positive, n_items, rating=None):
    """Candidate lists whose positives stand in the given columns."""
    positive = np.asarray(positive, np.int32)
    q = len(positive)
    return Candidates(
        queries=tuple(Query(user, 0, 0) for user in range(q)),
        items=np.arange(q * n_items, dtype=np.int32).reshape(q, n_items),
        positive=positive,
        rating=np.full(q, np.nan, np.float32) if rating is None else np.asarray(rating, np.float32),
        digest="",
    )


def answer(scores, ratings=None):
    """A ranking in which NaN scores are invalid answers."""
    scores = np.asarray(scores, np.float64)
    ratings = np.full(scores.shape, np.nan) if ratings is None else np.asarray(ratings, np.float64)
    return Ranking(scores, ratings, valid=~np.isnan(scores), cost=Cost())


def per_user(name, ranking, candidates):
    return metrics.get(name)().per_user(judged(ranking, candidates))


def judged(ranking, candidates):
    """The answer of a system without a language model, of which nothing else is known."""
    return Answered(ranking, candidates, np.zeros(candidates.items.max() + 1, int), np.zeros(len(candidates), int))


def test_rank_metrics_by_hand():
    # The positive (column 0) ranks 1st, 2nd, 4th.
    ranking = answer([[9, 1, 2, 3, 4], [3, 9, 1, 1, 1], [1, 5, 4, 3, 0]])
    candidates = asked([0, 0, 0], 5)
    hit = per_user("hr", ranking, candidates)
    assert list(hit) == ["hr@1", "hr@3", "hr@5", "hr@10"]
    assert hit["hr@1"].tolist() == [1, 0, 0]
    assert hit["hr@3"].tolist() == [1, 1, 0]
    assert hit["hr@5"].tolist() == [1, 1, 1]
    gain = per_user("ndcg", ranking, candidates)
    assert list(gain) == ["ndcg@3", "ndcg@5", "ndcg@10"]
    assert gain["ndcg@3"] == pytest.approx([1, 1 / math.log2(3), 0])
    assert gain["ndcg@5"] == pytest.approx([1, 1 / math.log2(3), 1 / math.log2(5)])
    assert per_user("mrr", ranking, candidates)["mrr"] == pytest.approx([1, 1 / 2, 1 / 4])


def test_a_constant_scorer_is_never_right_at_1():
    ranking, candidates = answer(np.zeros((4, 20))), asked([0, 7, 13, 19], 20)
    assert per_user("hr", ranking, candidates)["hr@10"].tolist() == [0, 0, 0, 0]
    assert per_user("mrr", ranking, candidates)["mrr"] == pytest.approx([1 / 20] * 4)


def test_an_invalid_answer_about_the_positive_ranks_last():
    nan = math.nan
    ranking = answer([[nan, -5.0, nan, 1.0], [-5.0, nan, nan, nan]])
    assert ranks(ranking, asked([0, 0], 4)).tolist() == [4, 1]


def test_rating_errors_by_hand():
    nan = math.nan
    ranking = answer(np.zeros((4, 2)), ratings=[[4.5, 1], [1, 2], [nan, 3], [5, 5]])
    candidates = asked([0, 1, 0, 1], 2, rating=[4, 5, 3, nan])
    assert per_user("mae", ranking, candidates)["mae"] == pytest.approx([0.5, 3, nan, nan], nan_ok=True)
    assert per_user("rmse", ranking, candidates)["se"] == pytest.approx([0.25, 9, nan, nan], nan_ok=True)


def test_valid_ratio_is_the_share_of_answers_that_could_be_read():
    ranking = answer([[1, math.nan, 2, math.nan], [1, 2, 3, 4], [math.nan] * 4])
    assert per_user("valid_ratio", ranking, asked([0, 0, 0], 4))["valid_ratio"].tolist() == [0.5, 1, 0]


@given(
    st.integers(1, 12).flatmap(
        lambda c: arrays(np.float64, (3, c), elements=st.sampled_from([-1.0, 0.0, 0.5, 2.0, math.nan]))
    ),
    st.data(),
)
def test_with_ties_the_positive_stands_behind_all_its_equals(scores, data):
    n_items = scores.shape[1]
    positive = data.draw(st.lists(st.integers(0, n_items - 1), min_size=3, max_size=3))
    ranking, candidates = answer(scores), asked(positive, n_items)
    by_hand = []
    for row, column in zip(scores.tolist(), positive, strict=True):
        # Worst order that the scores allow: invalid answers last, and the positive after all its equals.
        worst = sorted(
            range(n_items), key=lambda i: (math.isnan(row[i]), -row[i] if row[i] == row[i] else 0, i == column)
        )
        by_hand.append(1 + worst.index(column))
    assert ranks(ranking, candidates).tolist() == by_hand
    hit, gain = (kind().per_user(judged(ranking, candidates)) for kind in (HitRatio, NDCG))
    assert hit["hr@3"].tolist() == [float(rank <= 3) for rank in by_hand]
    assert gain["ndcg@5"] == pytest.approx([1 / math.log2(1 + rank) if rank <= 5 else 0 for rank in by_hand])


def test_without_ties_trec_eval_agrees():
    rng = np.random.default_rng(0)
    users, n_items = 200, 20
    scores = rng.permuted(np.tile(np.arange(n_items, dtype=float), (users, 1)), axis=1)
    positive = rng.integers(n_items, size=users)
    run = {str(u): {str(i): scores[u, i] for i in range(n_items)} for u in range(users)}
    relevant = {str(u): {str(positive[u]): 1} for u in range(users)}
    oracle = {"mrr": RR}
    oracle |= {f"hr@{k}": Success @ k for k in (1, 3, 5, 10)}
    oracle |= {f"ndcg@{k}": nDCG @ k for k in (3, 5, 10)}
    expected = {name: np.full(users, np.nan) for name in oracle}
    for value in ir_measures.pytrec_eval.iter_calc(list(oracle.values()), relevant, run):
        name = next(name for name, measure in oracle.items() if measure == value.measure)
        expected[name][int(value.query_id)] = value.value

    ours = {}
    for name in ("hr", "ndcg", "mrr"):
        ours |= per_user(name, answer(scores), asked(positive, n_items))
    assert ours.keys() == oracle.keys()
    for name, values in ours.items():
        np.testing.assert_allclose(values, expected[name], atol=1e-9, err_msg=name)


def test_cutoffs_are_a_setting():
    ranking, candidates = answer([[1, 2, 3]]), asked([1], 3)
    assert HitRatio(HitRatioConfig(at=(2,))).per_user(judged(ranking, candidates)).keys() == {"hr@2"}
    assert NDCG(NDCGConfig(at=(1, 2))).per_user(judged(ranking, candidates))["ndcg@2"] == pytest.approx(
        [1 / math.log2(3)]
    )


@pytest.mark.parametrize(
    ("given", "where", "message"),
    [
        ({"at": []}, "at", "at least 1 item"),
        ({"at": [1, 0]}, "at.1", "greater than or equal to 1; got 0"),
        ({"att": [1]}, "att", "unknown key 'att'; allowed: at"),
    ],
)
def test_impossible_cutoffs_are_refused(given, where, message):
    with pytest.raises(ConfigError) as caught:
        validate(HitRatioConfig, given, "here.yaml")
    assert caught.value.problems[0].where == where
    assert message in caught.value.problems[0].message


def test_every_metric_of_the_protocol_is_registered_with_its_direction():
    better = {name: metric.higher_is_better for name, metric in metrics}
    expected = {"hr": True, "ndcg": True, "mrr": True, "valid_ratio": True, "mae": False, "rmse": False}
    assert expected.items() <= better.items()
    assert Spec("metrics", "hr", HitRatioConfig()).to_dict() == {"use": "hr", "at": [1, 3, 5, 10]}
