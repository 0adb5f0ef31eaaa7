from typing import Annotated

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from r2rec_bench.core.config import Config, Family, Spec, validate
from r2rec_bench.core.errors import ConfigError, InputError
from r2rec_bench.data.base import sources
from r2rec_bench.data.sources.folder import Folder, FolderConfig


class Experiment(Config):
    data: Annotated[Spec, Family("sources")]


def load(name):
    return sources.get(name)().load()


def test_a_folder_is_a_data_set_under_its_own_name(roots, write_folder):
    write_folder(roots.data / "my-shop")
    assert "my-shop" in sources.names()
    dataset = load("my-shop")
    assert (dataset.name, dataset.synthetic, dataset.origin) == ("my-shop", False, str(roots.data / "my-shop"))
    assert dataset.log.user_ids == ("u1", "u2")
    assert dataset.catalog.titles == ("Alien", "Big")
    assert dict(sources)["my-shop"].summary()


def test_yaml_names_it_in_both_ways(roots, write_folder):
    write_folder(roots.data / "my-shop")
    plain = validate(Experiment, {"data": "my-shop"}, "exp.yaml").data
    explicit = validate(Experiment, {"data": "folder:my-shop"}, "exp.yaml").data
    assert plain.build().load().log.item_ids == explicit.build().load().log.item_ids
    assert explicit.to_dict() == {"use": "folder", "name": "my-shop"}
    assert plain.to_dict() == {"use": "my-shop"}


def test_movielens_folders_are_not_data_sets_of_their_own(roots, write_folder):
    write_folder(roots.data / "ml-1m")
    assert "ml-1m" not in sources.names()
    with pytest.raises(InputError, match="Did you mean 'movielens-1m'"):
        sources.get("ml-1m")


def test_a_folder_does_not_shadow_a_built_in_source(roots, write_folder):
    write_folder(roots.data / "folder")
    assert sources.get("folder") is Folder


def test_a_name_that_is_no_plain_folder_is_refused(roots):
    with pytest.raises(ConfigError, match=r"data.name: String should match pattern"):
        validate(Experiment, {"data": "folder:../secret"}, "exp.yaml")
    with pytest.raises(InputError, match=r"unknown data source '../data/x'"):
        sources.get("../data/x")


def test_without_a_data_folder_the_variable_is_named(monkeypatch):
    monkeypatch.delenv("R2REC_DATA", raising=False)
    with pytest.raises(InputError, match="'mine': R2REC_DATA is not set; set it to the folder that contains mine/"):
        Folder(FolderConfig(name="mine")).load()
    assert "folder" in sources.names()


def test_a_missing_folder_is_named(roots):
    with pytest.raises(InputError, match=r"'mine': no .*interactions.parquet; expected the parquet form"):
        Folder(FolderConfig(name="mine")).load()


def test_the_order_within_a_user_is_honoured(roots, write_folder):
    write_folder(roots.data / "mine", timestamp=[10, 10, 10], user_seq_pos=[1, 0, 0])
    log = load("mine").log
    assert [log.item_ids[item] for item in log.item] == ["b", "a", "a"]


@pytest.mark.parametrize("rating", [None, [np.nan] * 3, [None] * 3])
def test_data_without_ratings_is_implicit(roots, write_folder, rating):
    write_folder(roots.data / "mine", rating=rating)
    assert not load("mine").log.has_ratings


def test_integer_ids_are_read_as_text(roots, write_folder):
    write_folder(roots.data / "mine", {"item_id": [7, 12], "title": ["A", "B"]}, item_id=[12, 7, 12])
    dataset = load("mine")
    assert dataset.log.item_ids == ("7", "12")
    assert dataset.catalog.titles == ("A", "B")


def test_attributes_are_genres_and_brand(roots, write_folder):
    items = {"item_id": ["a", "b"], "title": ["A", None], "genres": ["War|Drama", None], "brand": ["Acme", "Nadir"]}
    write_folder(roots.data / "mine", items)
    dataset = load("mine")
    assert dataset.catalog.attributes == ("War, Drama; Acme", "Nadir")
    assert dataset.catalog.titles == ("A", "untitled item b")
    assert list(dataset.drops.values()) == [1]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"item_id": ["a", "b", "z"]}, r"interactions.parquet:3: item 'z'; expected an item of .*items.parquet"),
        ({"rating": [5.0, 3.0, 9.0]}, r"interactions.parquet:3: rating '9.0'; expected 1 to 5"),
        ({"rating": ["good", "bad", "ugly"]}, r"interactions.parquet: column rating is \w+; expected float32"),
        ({"rating": [True, False, True]}, r"interactions.parquet: column rating is bool; expected float32"),
        ({"timestamp": [1, 2, 978300019000]}, r"interactions.parquet:3: time '978300019000'; .*not milliseconds"),
        ({"timestamp": [1.5, 2, 3]}, r"interactions.parquet: column timestamp is float64; expected int64"),
        ({"timestamp": None}, r"interactions.parquet: no column timestamp; found: user_id, item_id, rating"),
        ({"user_id": ["u1", None, "u2"]}, r"interactions.parquet:2: user_id '\w+'; expected a value in every row"),
        ({"user_id": [1.0, 2.0, 3.0]}, r"interactions.parquet: column user_id is float64; expected string"),
        ({"user_seq_pos": [0, None, 0]}, r"interactions.parquet:2: user_seq_pos 'nan'; expected a value"),
    ],
)
def test_a_malformed_column_is_named(roots, write_folder, columns, message):
    write_folder(roots.data / "mine", **columns)
    with pytest.raises(InputError, match=message):
        load("mine")


def test_an_item_listed_twice_is_an_error(roots, write_folder):
    write_folder(roots.data / "mine", {"item_id": ["a", "b", "a"], "title": ["A", "B", "C"]})
    with pytest.raises(InputError, match=r"items.parquet:3: item 'a'; expected every item once"):
        load("mine")


def test_a_file_that_is_no_parquet_or_missing_is_named(roots, write_folder):
    folder = write_folder(roots.data / "mine")
    (folder / "items.parquet").unlink()
    with pytest.raises(InputError, match=r"items.parquet: cannot be read as parquet: no such file"):
        load("mine")
    (folder / "interactions.parquet").write_bytes(b"user,item\n")
    with pytest.raises(InputError, match=r"interactions.parquet: cannot be read as parquet"):
        load("mine")


@pytest.mark.parametrize(("file", "column"), [("interactions", "user_id"), ("items", "title")])
def test_bytes_that_are_no_text_are_named(roots, write_folder, file, column):
    path = write_folder(roots.data / "mine") / f"{file}.parquet"
    table = pq.read_table(path)
    torn = pa.array([b"\xff"] * len(table)).view(pa.string())
    pq.write_table(table.set_column(table.column_names.index(column), column, torn), path)
    with pytest.raises(InputError, match=rf"{file}.parquet: cannot be read as parquet: .*UTF8"):
        load("mine")


def test_an_empty_table_is_an_error(roots, write_folder):
    folder = write_folder(roots.data / "mine")
    frame = pd.read_parquet(folder / "interactions.parquet")
    frame.iloc[:0].to_parquet(folder / "interactions.parquet")
    with pytest.raises(InputError, match=r"interactions.parquet: no interactions"):
        load("mine")
