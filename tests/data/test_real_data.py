"""The counts of the real data sets, by which a reader that loses or invents rows is found out."""

import os
from pathlib import Path

import numpy as np
import pytest

from r2rec_bench.data.base import Fold, negative_samplers, sources, splits
from r2rec_bench.data.candidates import draw
from r2rec_bench.data.log import REPEATED
from r2rec_bench.data.stats import stats

pytestmark = pytest.mark.realdata

# name: folder, users, items, rows in the file, repeated pairs among them
TABLE = {
    "movielens-1m": ("ml-1m", 6_040, 3_706, 1_000_209, 0),
    "movielens-100k": ("ml-100k", 943, 1_682, 100_000, 0),
    "amazon-books-msl": ("amazon-books-msl", 14_585, 6_343, 136_956, 1_824),
    "amazon-video-games-2018": ("amazon-video-games-2018", 3_593, 3_726, 27_050, 26),
    "amazon-office-2018": ("amazon-office-2018", 3_231, 3_317, 21_297, 109),
    "amazon-movies-tv-2018": ("amazon-movies-tv-2018", 1_442, 2_521, 11_736, 2),
}


def load(name):
    folder = TABLE[name][0]
    root = os.environ.get("R2REC_DATA")
    if not root or not (Path(root) / folder / "interactions.parquet").is_file():
        pytest.skip(f"no {folder}/interactions.parquet under R2REC_DATA ({root or 'not set'})")
    return sources.get(name)().load()


@pytest.mark.parametrize("name", TABLE)
def test_counts(name):
    counts = stats(load(name))
    _, users, items, rows, repeated = TABLE[name]
    assert (counts.users, counts.items, counts.interactions) == (users, items, rows - repeated)
    assert counts.drops.get(REPEATED, 0) == repeated


def test_movielens_1m_is_complete():
    dataset = load("movielens-1m")
    assert list(stats(dataset).ratings.values()) == [56_174, 107_557, 261_197, 348_971, 226_310]
    assert dataset.catalog.titles[0] == "Toy Story (1995)"
    assert dataset.drops == {}
    log = dataset.log
    same_user = np.diff(log.user) == 0
    assert (np.diff(log.time)[same_user] >= 0).all()


def test_books_are_implicit_and_name_their_untitled_item():
    dataset = load("amazon-books-msl")
    assert not dataset.log.has_ratings
    assert dataset.catalog.titles[dataset.log.item_ids.index("5746")] == "untitled item 5746"


def test_candidates_for_movielens_1m():
    folds = splits.get("leave_last_out")().split(load("movielens-1m").log)
    candidates = draw(folds, Fold.TEST, negative_samplers.get("uniform")(), n_negatives=19, n_users=1_000, seed=0)
    assert candidates.items.shape == (1_000, 20)
