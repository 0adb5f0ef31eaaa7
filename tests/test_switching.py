"""Every component is switched by one line, and whoever misspells it or its settings is told the right word."""

from pathlib import Path

import pytest

from r2rec_bench.core.errors import ConfigError
from r2rec_bench.core.loading import Loaded, load
from r2rec_bench.core.registry import FAMILIES, registry
from r2rec_bench.experiment import Experiment
from r2rec_bench.matrix.parts import parts

QUICKSTART = Path(__file__).parents[1] / "experiments" / "quickstart.yaml"
WITHIN_STAGES = {
    "rewards": "stages.grpo.rewards=[{{reward: {}}}]",
    "pairs": "stages=[{{use: dpo, rejected: {}}}]",
}
PLACES = {part.family: f"{part.path}=[{{}}]" if part.many else f"{part.path}={{}}" for part in parts().values()}
NEEDS = {
    ("splits", "temporal"): "requires 'past'",
    ("rankers", "rating_expectation"): "Set queries.touched to 1",
    ("rankers", "listwise"): "Take a backbone that reads prompts.wording: verbose",
    ("baselines", "llmrank"): "Take a backbone that reads prompts.wording: verbose",
}
"""What cannot be switched alone, and what the message says to do about it; settings that are required come on top."""
EVERY = [(family, name) for family in FAMILIES for name in registry(family).names()]
SETTINGS = [
    (family, name, key)
    for family, name in EVERY
    for key in [*registry(family).get(name).config_type().model_fields][:1]
]


def switched(family: str, value: str) -> Loaded[Experiment]:
    """The quickstart with `value`, as on a line of YAML, where it names components of the family."""
    return load(QUICKSTART, Experiment, [(PLACES | WITHIN_STAGES)[family].format(value)])


def refusal(family: str, value: str) -> str:
    with pytest.raises(ConfigError) as caught:
        switched(family, value)
    return str(caught.value)


def required(family: str, name: str) -> list[str]:
    return [key for key, field in registry(family).get(name).config_type().model_fields.items() if field.is_required()]


def misspelt(word: str) -> str:
    """One letter too many."""
    return word + word[-1]


def test_every_family_has_its_place_in_an_experiment():
    assert PLACES.keys() | WITHIN_STAGES.keys() == FAMILIES.keys()


@pytest.mark.parametrize(("family", "name"), EVERY)
def test_one_line_switches_a_component_or_says_what_else_must_change(family, name):
    missing = required(family, name)
    if missing:
        told = refusal(family, name)
        assert all(f"{key}: required" in told for key in missing)
    elif (family, name) in NEEDS:
        assert NEEDS[family, name] in refusal(family, name)
    else:
        assert f"{family}.{name}" in components_of(switched(family, name))


def components_of(loaded: Loaded[Experiment]) -> set[str]:
    from r2rec_bench.core.config import components

    return {f"{spec.family}.{spec.use}" for spec in components(loaded.value)}


@pytest.mark.parametrize(("family", "name"), EVERY)
def test_a_misspelt_name_is_answered_with_the_right_one(family, name):
    assert f"Did you mean '{name}'?" in refusal(family, misspelt(name))


@pytest.mark.parametrize(("family", "name", "key"), SETTINGS)
def test_a_misspelt_setting_is_answered_with_the_right_one(family, name, key):
    told = refusal(family, f"{{use: {name}, {misspelt(key)}: 1}}")
    assert f"unknown key '{misspelt(key)}'" in told
    assert f"Did you mean '{key}'?" in told


def test_what_must_change_with_it_can_be_changed_with_it():
    both = ["ranker=rating_expectation", "queries.touched=1"]
    assert load(QUICKSTART, Experiment, both).value.queries.touched == 1
    assert load(QUICKSTART, Experiment, ["split=temporal", "visibility=past"]).value.split.use == "temporal"
