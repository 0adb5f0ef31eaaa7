"""Ranking metrics against scikit-learn, where it answers the same question: one relevant item, no ties."""

import numpy as np
import pytest
from sklearn.metrics import label_ranking_average_precision_score, ndcg_score, top_k_accuracy_score

from r2rec_bench.core.types import Candidates, Cost, Query, Ranking
from r2rec_bench.evaluation.metrics.base import Answered, metrics


@pytest.fixture
def ranked():
    rng = np.random.default_rng(0)
    q, c = 200, 20
    scores = rng.permuted(np.tile(np.arange(c, dtype=float), (q, 1)), axis=1)
    positive = rng.integers(0, c, q).astype(np.int32)
    items = np.tile(np.arange(c, dtype=np.int32), (q, 1))
    lists = Candidates(tuple(Query(u, 0, 0) for u in range(q)), items, positive, np.full(q, np.nan, np.float32), "")
    nothing = np.full((q, c), np.nan)
    return Ranking(scores, nothing, np.ones((q, c), bool), Cost()), lists, np.eye(c)[positive]


def column(name, at, ranked):
    ranking, lists, _ = ranked
    unseen = np.zeros(lists.items.max() + 1, int), np.zeros(len(lists), int)
    return metrics.get(name)().per_user(Answered(ranking, lists, *unseen))[at].mean()


@pytest.mark.parametrize("k", [3, 5, 10])
def test_ndcg(ranked, k):
    assert column("ndcg", f"ndcg@{k}", ranked) == pytest.approx(ndcg_score(ranked[2], ranked[0].scores, k=k))


def test_mrr(ranked):
    # With one relevant item average precision is the reciprocal rank.
    expected = label_ranking_average_precision_score(ranked[2], ranked[0].scores)
    assert column("mrr", "mrr", ranked) == pytest.approx(expected)


@pytest.mark.parametrize("k", [1, 3, 5, 10])
def test_hit_ratio(ranked, k):
    expected = top_k_accuracy_score(ranked[1].positive, ranked[0].scores, k=k)
    assert column("hr", f"hr@{k}", ranked) == pytest.approx(expected)
