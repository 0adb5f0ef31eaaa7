"""What our baselines do beyond the contract of their family: they learn tastes, and fall back on popularity."""

import subprocess
import sys
import warnings
from dataclasses import replace

import implicit.utils
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from r2rec_bench.core.types import InteractionLog
from r2rec_bench.evaluation.base import baselines

PERSONAL = ["als", "bpr", "ease", "gru4rec", "item_knn", "lightgcn", "sasrec", "user_knn"]
NAMES = [*PERSONAL, "biased_mf", "popularity"]
RANDOM = ["als", "biased_mf", "bpr", "gru4rec", "lightgcn", "sasrec"]
SEQUENTIAL = {"width": 16, "layers": 1, "window": 8, "batch_size": 8, "learning_rate": 0.01, "epochs": 15}
SETTINGS = {"gru4rec": SEQUENTIAL | {"state": 16}, "lightgcn": {"steps": 60}, "sasrec": SEQUENTIAL}
"""What suits data this small, where the defaults do not."""
EVERYTHING = [list(range(30))] * 41


def scores(name, log, candidates, seed=0):
    cls = baselines.get(name)
    model = cls(cls.config_type()(**SETTINGS.get(name, {})))
    if name == "biased_mf":
        log = replace(log, rating=1 + log.item.astype(np.float32) % 5)
    model.fit(log, seed)
    predicted = model.ratings(candidates)
    assert predicted.shape == candidates.items.shape
    assert np.isnan(predicted).all() if name != "biased_mf" else ((predicted >= 1) & (predicted <= 5)).all()
    return model.score(candidates)


def test_listing_them_imports_no_heavy_library():
    code = (
        "import sys; from r2rec_bench.evaluation.base import baselines; baselines.get('bpr');"
        "sys.exit(any(name in sys.modules for name in ('implicit', 'torch', 'transformers', 'pandas')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_user_without_history_is_ranked_by_popularity(name, two_tastes, asked):
    counts = np.bincount(two_tastes.item, minlength=30)
    assert scores(name, two_tastes, asked([40], [list(range(30))])).tolist() == [counts.tolist()]


@pytest.mark.parametrize("name", PERSONAL)
def test_users_are_led_to_their_own_taste(name, two_tastes, asked):
    result = scores(name, two_tastes, asked(list(range(40)), EVERYTHING[:40]))
    own = np.arange(30)[None, :] // 15 == np.arange(40)[:, None] % 2
    assert (result[own].reshape(40, 15).mean(axis=1) > result[~own].reshape(40, 15).mean(axis=1)).all()


@pytest.mark.parametrize("name", RANDOM)
def test_another_seed_gives_other_scores(name, two_tastes, asked):
    candidates = asked(list(range(41)), EVERYTHING)
    assert not np.array_equal(scores(name, two_tastes, candidates, 5), scores(name, two_tastes, candidates, 6))


@pytest.mark.parametrize("name", ["ease", "item_knn", "popularity", "user_knn"])
def test_the_numbering_of_items_does_not_matter(name, two_tastes, asked):
    renamed = np.random.default_rng(1).permutation(30).astype(np.int32)
    log = InteractionLog(
        two_tastes.user,
        renamed[two_tastes.item],
        two_tastes.rating,
        two_tastes.time,
        two_tastes.user_ids,
        two_tastes.item_ids,
    )
    before = scores(name, two_tastes, asked(list(range(41)), EVERYTHING))
    after = scores(name, log, asked(list(range(41)), [renamed.tolist()] * 41))
    np.testing.assert_allclose(after, before, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["als", "bpr"])
def test_the_library_is_silent_however_many_threads_blas_has(name, two_tastes, asked, capfd, monkeypatch):
    monkeypatch.setattr(implicit.utils, "_checked_blas_config", False)  # it warns once per process
    with threadpool_limits(2, "blas"), warnings.catch_warnings():
        warnings.simplefilter("error")
        scores(name, two_tastes, asked([0], [[1, 2]]))
    assert capfd.readouterr() == ("", "")
