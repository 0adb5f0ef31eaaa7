import json
import math
from dataclasses import replace

import numpy as np
import pytest

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.types import ItemCatalog
from r2rec_bench.data.base import Dataset
from r2rec_bench.data.store import digest, read, write


@pytest.fixture
def dataset(world):
    titles = tuple(f"Tïtle \N{SNOWMAN} {item}" for item in world.item_ids)
    return Dataset("d", world, ItemCatalog(titles, ("",) * 80), True, "free", "here", {"why": 2}, 0.5)


def test_a_data_set_survives_the_disk(dataset, tmp_path):
    write(dataset, tmp_path / "kept")
    back = read(tmp_path / "kept")
    for name in ("user", "item", "rating", "time"):
        np.testing.assert_array_equal(getattr(back.log, name), getattr(dataset.log, name))
        assert getattr(back.log, name).dtype == getattr(dataset.log, name).dtype
    assert (back.log.user_ids, back.log.item_ids) == (dataset.log.user_ids, dataset.log.item_ids)
    assert back.catalog == dataset.catalog
    for name in ("name", "synthetic", "licence", "origin", "drops", "bayes_hr1"):
        assert getattr(back, name) == getattr(dataset, name)
    assert digest(back) == digest(dataset)


def test_an_unknown_bound_stays_unknown(dataset, tmp_path):
    write(replace(dataset, bayes_hr1=math.nan), tmp_path)
    assert math.isnan(read(tmp_path).bayes_hr1)
    assert json.loads((tmp_path / "meta.json").read_text())["bayes_hr1"] is None


def test_missing_ratings_stay_missing(dataset, tmp_path):
    log = replace(dataset.log, rating=np.full(len(dataset.log), np.nan, dtype=np.float32))
    write(replace(dataset, log=log), tmp_path)
    assert np.isnan(read(tmp_path).log.rating).all()


def test_the_digest_follows_the_content_alone(dataset):
    log, catalog = dataset.log, dataset.catalog
    assert digest(replace(dataset, origin="there", licence="none")) == digest(dataset)
    assert digest(replace(dataset, log=replace(log, rating=log.rating[::-1]))) != digest(dataset)
    assert digest(replace(dataset, log=replace(log, user_ids=log.user_ids[::-1]))) != digest(dataset)
    assert digest(replace(dataset, catalog=replace(catalog, titles=catalog.titles[::-1]))) != digest(dataset)


def test_changed_content_is_refused(dataset, tmp_path):
    write(dataset, tmp_path)
    kept = (tmp_path / "meta.json").read_text()
    write(replace(dataset, log=replace(dataset.log, time=dataset.log.time + 1)), tmp_path)
    (tmp_path / "meta.json").write_text(kept)
    with pytest.raises(InputError, match="the content was changed after it was written; delete the folder"):
        read(tmp_path)


def test_a_missing_or_broken_file_is_named(dataset, tmp_path):
    with pytest.raises(InputError, match=r"meta.json: cannot be read"):
        read(tmp_path)
    write(dataset, tmp_path)
    (tmp_path / "users.parquet").write_bytes(b"")
    with pytest.raises(InputError, match=r"users.parquet: cannot be read as parquet"):
        read(tmp_path)
