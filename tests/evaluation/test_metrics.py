"""Metrics against hand-computed values, brute force, trec_eval and ir-measures, with ties."""

import math

import ir_measures
import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from ir_measures import RR, Success, nDCG

from r2rec_bench.core.config import Spec, validate
from r2rec_bench.core.errors import ConfigError
from r2rec_bench.core.types import Candidates, Cost, Query, Ranking
from r2rec_bench.evaluation.metrics.base import Answered, metrics, order, ranks
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


SCORES = st.sampled_from([-1.0, 0.0, 0.5, 2.0, math.nan])
LISTS = st.integers(1, 20).flatmap(lambda c: arrays(np.float64, (4, c), elements=SCORES))


def ours(scores, positive):
    """HR, NDCG and reciprocal rank by column name."""
    ranking, candidates = answer(scores), asked(positive, scores.shape[1])
    return {
        name: values
        for metric in ("hr", "ndcg", "mrr")
        for name, values in per_user(metric, ranking, candidates).items()
    }


def drawn_positives(data, scores):
    return data.draw(st.lists(st.integers(0, scores.shape[1] - 1), min_size=len(scores), max_size=len(scores)))


@settings(max_examples=50)
@given(LISTS, st.data())
def test_trec_eval_agrees_where_its_own_ties_are_made_to_fall_against_the_positive(scores, data):
    """trec_eval breaks ties by name, the last one first: the positive is called first by name, so it loses them."""
    positive = drawn_positives(data, scores)
    run, relevant = {}, {}
    for user, (row, column) in enumerate(zip(np.nan_to_num(scores, nan=-9.0).tolist(), positive, strict=True)):
        run[str(user)] = {"a" if place == column else f"b{place}": score for place, score in enumerate(row)}
        relevant[str(user)] = {"a": 1}
    measures = {"recip_rank", "success.1,3,5,10", "ndcg_cut.3,5,10"}
    found = pytrec_eval.RelevanceEvaluator(relevant, measures).evaluate(run)
    names = {"mrr": "recip_rank"}
    names |= {f"hr@{k}": f"success_{k}" for k in (1, 3, 5, 10)}
    names |= {f"ndcg@{k}": f"ndcg_cut_{k}" for k in (3, 5, 10)}
    mine = ours(scores, positive)
    assert mine.keys() == names.keys()
    for name, theirs in names.items():
        expected = [found[str(user)][theirs] for user in range(len(scores))]
        np.testing.assert_allclose(mine[name], expected, atol=1e-9, err_msg=name)


@settings(max_examples=50)
@given(LISTS, st.data())
def test_ir_measures_agrees_on_the_pessimistic_order(scores, data):
    positive = drawn_positives(data, scores)
    columns = order(answer(scores), asked(positive, scores.shape[1])).tolist()
    run = {str(user): {str(c): -float(place) for place, c in enumerate(row)} for user, row in enumerate(columns)}
    relevant = {str(user): {str(column): 1} for user, column in enumerate(positive)}
    oracle = {"mrr": RR}
    oracle |= {f"hr@{k}": Success @ k for k in (1, 3, 5, 10)}
    oracle |= {f"ndcg@{k}": nDCG @ k for k in (3, 5, 10)}
    mine = ours(scores, positive)
    names = {measure: name for name, measure in oracle.items()}
    found = list(ir_measures.iter_calc(list(oracle.values()), relevant, run))
    assert len(found) == len(oracle) * len(scores)
    for value in found:
        assert mine[names[value.measure]][int(value.query_id)] == pytest.approx(value.value), value.measure


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
    expected |= {"popularity": None, "grounding": True, "step_forecast": True, "counterfactual": True}
    assert expected.items() <= better.items()
    assert Spec("metrics", "hr", HitRatioConfig()).to_dict() == {"use": "hr", "at": [1, 3, 5, 10]}
