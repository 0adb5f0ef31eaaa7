from enum import StrEnum
from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError

from r2rec_bench.core.config import Config, Family, Spec, Tune, validate
from r2rec_bench.core.errors import ConfigError
from r2rec_bench.core.registry import FAMILIES


class Color(StrEnum):
    RED = "red"
    BLUE = "blue"


class Inner(Config):
    n: Annotated[int, Field(ge=1), Tune(1, 8)] = 1


class Outer(Config):
    toy: Annotated[Spec, Family("toys")] = "nano"
    toys: tuple[Annotated[Spec, Family("toys")], ...] | None = None
    inner: Inner = Inner()
    inners: list[Inner] | None = None
    by_name: dict[str, Inner] | None = None
    mode: Literal["slow", "fast"] = "slow"
    color: Color = Color.RED


def problems(**values: object) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        validate(Outer, values, "x.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_a_component_is_written_in_three_ways():
    outer = validate(Outer, {"toys": ["nano", "hf:a/b:c", {"use": "sft", "lr": 1}]}, "x.yaml")
    assert [spec.to_dict() for spec in outer.toys] == [
        {"use": "nano", "width": 32, "depth": 2},
        {"use": "hf", "path": "a/b:c", "dtype": "float32"},
        {"use": "sft", "lr": 1.0, "epochs": 1},
    ]
    built = outer.toys[1].build()
    assert (type(built).__name__, built.config.path) == ("HF", "a/b:c")


def test_what_is_dumped_is_read_back_equal():
    outer = validate(Outer, {"toys": ["none", {"use": "grpo", "rewards": ["sft"]}], "inners": [{"n": 3}]}, "x.yaml")
    assert validate(Outer, outer.model_dump(mode="json"), "dump") == outer
    assert validate(Outer, outer.model_dump(), "dump") == outer


def test_a_default_component_is_validated_like_any_other():
    assert Outer().toy == Spec("toys", "nano", Outer().toy.settings)
    assert Outer().toy.settings.width == 32


@pytest.mark.parametrize(
    ("toy", "problem"),
    [
        ("nanno", "toy: unknown toy 'nanno'. Did you mean 'nano'? Known: grpo, hf, nano, none, sft."),
        ("hf", "toy.path: required, but missing"),
        ("none:x", "toy: 'none' has no settings, so it takes no argument; got 'x'"),
        ("nano:wide", "toy.width: Input should be a valid integer, unable to parse string as an integer; got 'wide'"),
        ("nano:", "toy.width: Input should be a valid integer, unable to parse string as an integer; got ''"),
        (3, "toy: expected a name or a mapping with `use`; got 3"),
        ({}, "toy: a component needs the key `use`"),
        ({"ues": "nano", 3: 4}, "toy: a component needs the key `use`; got 'ues'"),
        ({"use": 5}, "toy.use: expected the name of a component; got 5"),
        ({"use": "none", "n": 1}, "toy.n: unknown key 'n'; allowed: none"),
        ({"use": "nano", "Width": 1}, "toy.Width: unknown key 'Width'; allowed: depth, width. Did you mean 'width'?"),
    ],
)
def test_what_is_wrong_with_a_component(toy: object, problem: str):
    assert problems(toy=toy) == [problem]


def test_a_component_of_another_family_is_no_shortcut(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(FAMILIES, "others", "toy_family:toys")
    stranger = Spec("others", "nano", Outer().toy.settings)
    assert problems(toy=stranger)[0].startswith("toy: expected a name or a mapping with `use`; got Spec(")


def test_problems_deep_in_lists_of_components_have_their_full_path():
    reward = {"use": "grpo", "rewards": ["none", {"use": "sft", "epoch": 1, "lr": "high"}, "sftt"]}
    found = problems(toys=["nano", {"use": "grpo", "rewards": [reward]}], mode="fsat")
    assert sorted(found) == [
        "mode: Input should be 'slow' or 'fast'; got 'fsat'. Did you mean 'fast'?",
        "toys.1.rewards.0.rewards.1.epoch: unknown key 'epoch'; allowed: epochs, lr. Did you mean 'epochs'?",
        "toys.1.rewards.0.rewards.1.lr: Input should be a valid number, unable to parse string as a number; got 'high'",
        "toys.1.rewards.0.rewards.2: unknown toy 'sftt'. Did you mean 'sft'? Known: grpo, hf, nano, none, sft.",
    ]


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"inner": {"N": 1}}, "inner.N"),
        ({"inners": [{}, {"N": 1}]}, "inners.1.N"),
        ({"by_name": {"a": {"N": 1}}}, "by_name.a.N"),
    ],
)
def test_allowed_keys_are_those_of_the_nested_settings(values: dict[str, object], where: str):
    assert problems(**values) == [f"{where}: unknown key 'N'; allowed: n. Did you mean 'n'?"]


def test_an_enumeration_gets_the_nearest_value():
    assert problems(color="rod") == ["color: Input should be 'red' or 'blue'; got 'rod'. Did you mean 'red'?"]


def test_infinite_and_missing_numbers_are_refused():
    with pytest.raises(ConfigError, match=r"toy.lr: Input should be a finite number; got inf"):
        validate(Outer, {"toy": {"use": "sft", "lr": float("inf")}}, "x.yaml")


def test_settings_are_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        Inner().n = 2
