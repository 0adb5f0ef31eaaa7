"""Ablations: deltas of an experiment, what they may change, and what is said of those that change nothing."""

from pathlib import Path
from typing import Literal

import pytest
from pydantic import model_validator

from r2rec_bench.core.config import Config
from r2rec_bench.core.errors import ConfigError, InputError
from r2rec_bench.core.loading import load, load_all
from tests.core.loadable import BASE, Training, World, base, delta, origins, problems, values

pytestmark = pytest.mark.usefixtures("base_file")


def test_ablation_changes_what_it_says_and_nothing_else():
    loaded = load(delta("stages.grpo.lr: 1e-7\nseed: 3"), World)
    before, after = values(base()), values(loaded)
    assert {path for path in before if before[path] != after[path]} == {"stages.grpo.lr", "seed"}
    assert after["stages.grpo.lr"] == 1e-7
    assert origins(loaded)["stages.grpo.lr"] == "ablation delta.yaml:4"
    assert origins(loaded)["stages.grpo.use"] == "base.yaml:5"
    assert origins(loaded)["seed"] == "ablation delta.yaml:5"
    assert (loaded.name, loaded.question, loaded.extends) == ("delta", "Does it matter?", Path("base.yaml"))


def test_ablation_may_name_itself():
    Path("delta.yaml").write_text("name: no-rl\nextends: base.yaml\nquestion: Why?\nchange: {stages.grpo: null}\n")
    assert load(Path("delta.yaml"), World).name == "no-rl"


def test_null_takes_an_element_out_of_a_list():
    loaded = load(delta("stages.sft: null"), World)
    assert [spec.use for spec in loaded.value.stages] == ["grpo"]
    assert origins(loaded)["stages.grpo.lr"] == "base.yaml:6"


def test_indices_are_those_of_the_base_whatever_is_taken_out():
    loaded = load(delta("stages.0: null\nstages.1.lr: 1\nks.0: null\nks.1: 20"), World)
    assert [(spec.use, spec.settings.lr) for spec in loaded.value.stages] == [("grpo", 1.0)]
    assert loaded.value.ks == (20,)


def test_a_whole_component_is_replaced_with_its_own_defaults():
    loaded = load(delta("backbone: {use: sft, lr: 0.5}"), World)
    assert loaded.value.backbone.to_dict() == {"use": "sft", "lr": 0.5, "epochs": 1}
    assert origins(loaded)["backbone.epochs"] == "default of SFTConfig"


def test_a_default_inside_a_default_component_can_be_changed():
    loaded = load(delta("fallback.depth: 5\ntraining.epochs: 4"), World)
    assert loaded.value.fallback.to_dict() == {"use": "nano", "width": 7, "depth": 5}
    assert loaded.value.training == Training(epochs=4)
    assert origins(loaded)["fallback.width"] == "default of World"
    assert origins(loaded)["fallback.depth"] == "ablation delta.yaml:4"


def test_settings_that_only_go_together_change_together():
    loaded = load(delta("split: temporal\nvisibility: past"), World)
    assert (loaded.value.split, loaded.value.visibility) == ("temporal", "past")
    assert problems(delta("split: temporal")) == ["base.yaml:1: split temporal needs visibility past"]


@pytest.mark.parametrize(
    ("change", "already"),
    [
        ("stages.grpo.lr: 0.000002", "2e-06"),
        ("stages.grpo.group: 8", "8"),
        ("backbone: nano", "'nano'"),
        ("backbone: {use: nano, width: 32}", "{'use': 'nano', 'width': 32}"),
        ("ks: [1, 10]", "[1, 10]"),
        ("training: {}", "{}"),
    ],
)
def test_a_change_that_changes_nothing_is_an_error_defaults_included(change: str, already: str):
    path = change.partition(":")[0]
    assert problems(delta(change)) == [f"delta.yaml:4: {path}: changes nothing; it is {already} already"]


def test_one_idle_change_among_others_is_named():
    assert problems(delta("seed: 1\nbackbone.depth: 2\nks.0: null")) == [
        "delta.yaml:5: backbone.depth: changes nothing; it is 2 already"
    ]


class Moving(Config):
    """A default of one setting depends on another."""

    split: Literal["last", "temporal"] = "last"
    window: int

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, values: dict[str, object]):
        return {"window": 30 if values.get("split") == "temporal" else 0, **values}


@pytest.mark.parametrize("window", [0, 30])
def test_pinning_what_another_change_moves_and_restating_what_it_implies_are_changes(window: int):
    Path("base.yaml").write_text("split: last")
    loaded = load(delta(f"split: temporal\nwindow: {window}"), Moving)
    assert loaded.value == Moving(split="temporal", window=window)
    with pytest.raises(ConfigError, match="changes nothing; it is 0 already"):
        load(delta("window: 0"), Moving)


def test_an_ablation_of_an_ablation():
    Path("sub").mkdir()
    delta("seed: 3\nbackbone.width: 8", name="first.yaml")
    second = delta("backbone.width: 16", extends="../first.yaml", name="sub/second.yaml")
    loaded = load(second, World)
    assert (loaded.value.seed, loaded.value.backbone.settings.width) == (3, 16)
    assert origins(loaded)["seed"] == "ablation first.yaml:4"
    assert origins(loaded)["backbone.width"] == "ablation sub/second.yaml:4"
    assert loaded.extends == Path("first.yaml")
    assert problems(delta("seed: 3", extends="first.yaml")) == ["delta.yaml:4: seed: changes nothing; it is 3 already"]


def test_a_circle_of_ablations():
    delta("seed: 1", extends="b.yaml", name="a.yaml")
    delta("seed: 2", extends="a.yaml", name="b.yaml")
    assert problems("a.yaml") == ["b.yaml:1: extends: a circle: a.yaml → b.yaml → a.yaml"]
    delta("seed: 2", extends="self.yaml", name="self.yaml")
    assert problems("self.yaml") == ["self.yaml:1: extends: a circle: self.yaml → self.yaml"]


def test_what_is_wrong_with_what_is_extended_is_said_with_who_extends_it():
    Path("words.txt").write_text("no experiment at all\n")
    middle = delta("seed: 1", extends="words.txt", name="mid.yaml")
    with pytest.raises(ConfigError, match=r"^words.txt, extended at mid.yaml:1, extended at top.yaml:1: 1 problem\n"):
        load(delta("seed: 2", extends=str(middle), name="top.yaml"), World)


@pytest.mark.parametrize("name", [r"\0", r"\0/base.yaml", "x" * 300, "gone/base.yaml"])
def test_a_base_that_cannot_be_is_placed(name):
    [problem] = problems(delta("seed: 1", extends=f'"{name}"'))
    assert problem.startswith("delta.yaml:1: extends: no file '")
    assert problem.isprintable()


def test_a_missing_base_is_placed_with_the_nearest_file():
    assert problems(delta("seed: 1", extends="bsae.yaml")) == [
        "delta.yaml:1: extends: no file 'bsae.yaml'. Did you mean 'base.yaml'?"
    ]
    with pytest.raises(InputError, match=r"no file 'bas.yaml'\. Did you mean 'base.yaml'\?"):
        load(Path("bas.yaml"), World)


def test_an_unknown_component_is_told_by_the_line_that_names_it():
    delta("backbone.use: nanno")
    assert problems("delta.yaml") == [
        "delta.yaml:4: backbone: unknown toy 'nanno'. Did you mean 'nano'? Known: grpo, hf, nano, none, sft."
    ]


def test_all_problems_of_an_ablation_at_once():
    Path("delta.yaml").write_text(
        """\
extends: base.yaml
quesion: Why?
change:
  stages.grop.lr: 1
  backbone.width: wide
  backbone.depth: 2
"""
    )
    assert problems("delta.yaml") == [
        "delta.yaml:1: question: required, but missing",
        "delta.yaml:2: quesion: unknown key 'quesion'; allowed: change, extends, name, question, "
        "vary. Did you mean 'question'?",
        "delta.yaml:4: stages.grop.lr: no 'grop' here; there is: sft, grpo. Did you mean 'stages.grpo.lr'?",
        "delta.yaml:5: backbone.width: Input should be a valid integer, unable to parse string as an integer; "
        "got 'wide'",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("extends: base.yaml\nquestion: ' '\nchange: {seed: 1}", "question: String should have at least 1 character"),
        ("extends: base.yaml\nquestion: Why?\nchange: {}", "expected `change`, `vary` or both"),
        ("question: Why?\nchange: {seed: 1}", "extends: required, but missing"),
        ("extends: base.yaml\nquestion: Why?", "expected `change`, `vary` or both"),
        ("extends: base.yaml\nquestion: Why?\nvary: {seed: []}", "vary.seed: List should have at least 1 item"),
        (
            "extends: base.yaml\nquestion: Why?\nvary: {seed: [1], title: [a]}",
            "vary: Dictionary should have at most 1 item",
        ),
    ],
)
def test_an_ablation_needs_all_three_keys(text: str, expected: str):
    Path("delta.yaml").write_text(text)
    assert any(expected in problem for problem in problems("delta.yaml"))


@pytest.mark.parametrize(
    "change",
    ["backbone: hf:x\nbackbone.width: 3", "backbone.width: 3\nbackbone: hf:x", "backbone.width: 3\nbackbone: null"],
)
def test_changing_a_thing_and_its_inside_is_ambiguous(change: str):
    assert any(
        "'backbone' is changed as well, and holds it; change one" in problem for problem in problems(delta(change))
    )


def test_the_same_place_spelt_twice_is_ambiguous():
    assert problems(delta("stages.sft.lr: 1\nstages.0.lr: 2")) == [
        "delta.yaml:5: stages.0.lr: 'stages.sft.lr' is changed as well, and is the same place; change one"
    ]


def test_an_ablation_changes_another_experiment_instead_of_its_own():
    Path("other.yaml").write_text(BASE.replace("worlds", "moons"))
    changed = delta("seed: 5", extends="base.yaml", name="smaller.yaml")
    above = delta("training.epochs: 3", extends="smaller.yaml")
    (found,) = load_all(above, World, instead=Path("other.yaml"))
    assert (found.value.title, found.value.seed, found.value.training.epochs) == ("moons", 5, 3)
    (through,) = load_all(delta("ks: [2]", name="k.yaml"), World, instead=changed)
    assert (through.value.title, through.value.seed, through.value.ks) == ("worlds", 5, (2,))
    (itself,) = load_all(Path("base.yaml"), World, instead=Path("other.yaml"))
    assert itself.value.title == "worlds"
