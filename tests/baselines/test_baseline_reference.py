"""HR@1 in the field's protocol against reference figures from an independent implementation."""

import os
from pathlib import Path

import numpy as np
import pytest

from r2rec_bench.core.types import Cost, Ranking
from r2rec_bench.data.base import Fold, negative_samplers, sources, splits
from r2rec_bench.data.candidates import draw
from r2rec_bench.evaluation.base import baselines
from r2rec_bench.evaluation.metrics.base import ranks


@pytest.fixture(scope="module")
def folds():
    root = os.environ.get("R2REC_DATA")
    if not root or not (Path(root) / "ml-100k").is_dir():
        pytest.skip("R2REC_DATA is not set or holds no ml-100k")
    return splits.get("leave_last_out")().split(sources.get("movielens-100k")().load().log)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "settings", "reference"),
    [
        ("popularity", {}, 0.247),
        ("item_knn", {}, 0.319),
        ("ease", {"l2": 100}, 0.412),
        ("als", {}, 0.410),
        ("bpr", {}, 0.333),
    ],
)
def test_hr1_on_movielens_100k(folds, name, settings, reference):
    cls = baselines.get(name)
    uniform = negative_samplers.get("uniform")()
    hits = []
    for seed in range(3):
        candidates = draw(folds, Fold.TEST, uniform, n_negatives=19, n_users=None, seed=seed)
        model = cls(cls.config_type()(**settings))
        model.fit(folds.visible_log(Fold.TEST), seed)
        scores = model.score(candidates)
        ranking = Ranking(scores, np.full_like(scores, np.nan), np.ones(scores.shape, dtype=bool), Cost())
        hits.append((ranks(ranking, candidates) == 1).mean())
    assert np.mean(hits) == pytest.approx(reference, abs=0.03)
