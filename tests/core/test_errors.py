import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r2rec_bench.core.errors import ConfigError, InputError, Problem, nearest, unknown


def test_a_config_error_lists_all_and_survives_a_worker_process():
    error = ConfigError("x.yaml", [Problem("a.b", "is wrong", "c"), Problem("", "all is wrong")])
    assert str(error) == "x.yaml: 2 problems\n  a.b: is wrong. Did you mean 'c'?\n  all is wrong"
    assert str(ConfigError("x", [Problem("a", "b")])).startswith("x: 1 problem\n")
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.source, copy.problems) == (str(error), error.source, error.problems)
    assert (copy.exit_code, isinstance(copy, InputError)) == (2, True)


@pytest.mark.parametrize(
    ("name", "found"),
    [("EASE", "ease"), ("closed-uniform", "closed_uniform"), ("eese", "ease"), ("xyzzy", ""), ("", "")],
)
def test_nearest(name: str, found: str):
    assert nearest(name, ["ease", "als", "closed_uniform"]) == found


@given(st.sampled_from(["ease", "als", "bpr", "Popularity"]), st.lists(st.text(), max_size=4))
def test_an_allowed_name_is_nearest_to_itself(name: str, others: list[str]):
    distinct = [other for other in others if other.casefold() != name.casefold()]
    assert nearest(name, [*distinct, name]) == name


def test_unknown():
    assert str(unknown("fold", "tset", ["train", "test"])) == (
        "unknown fold 'tset'. Did you mean 'test'? Known: test, train"
    )
    assert str(unknown("fold", "x", [])) == "unknown fold 'x'. Known: none"
