import re
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field, model_validator

from r2rec_bench.core.config import Config, Family, Spec
from r2rec_bench.core.errors import ConfigError, InputError
from r2rec_bench.core.loading import Loaded, load, load_all


class Training(Config):
    seconds: float = 60.0
    epochs: int = Field(1, ge=1)


class World(Config):
    title: str
    seed: int = 0
    backbone: Annotated[Spec, Family("toys")]
    stages: tuple[Annotated[Spec, Family("toys")], ...] = ()
    fallback: Annotated[Spec, Family("toys")] = Field({"use": "nano", "width": 7})
    ks: tuple[int, ...] = (1, 3)
    split: Literal["last", "temporal"] = "last"
    visibility: Literal["fold", "past"] = "fold"
    training: Training = Training()

    @model_validator(mode="after")
    def _strict(self):
        if self.split == "temporal" and self.visibility == "fold":
            raise ValueError("split temporal needs visibility past")
        return self


BASE = """\
title: worlds
backbone: nano
stages:
  - sft
  - use: grpo
    lr: 2e-6
    rewards: [none]
ks: [1, 10]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text(BASE)
    return tmp_path


def delta(change: str, extends: str = "base.yaml", name: str = "delta.yaml") -> Path:
    lines = "\n".join(f"  {line}" for line in change.splitlines())
    Path(name).write_text(f"extends: {extends}\nquestion: Does it matter?\nchange:\n{lines}\n")
    return Path(name)


def base(*overrides: str) -> Loaded[World]:
    return load(Path("base.yaml"), World, overrides)


def origins(loaded: Loaded[World]) -> dict[str, str]:
    return {leaf.path: leaf.origin for leaf in loaded.leaves}


def values(loaded: Loaded[World]) -> dict[str, object]:
    return {leaf.path: leaf.value for leaf in loaded.leaves}


def problems(path: Path | str, *overrides: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(Path(path), World, overrides)
    return [str(problem) for problem in caught.value.problems]


def test_every_leaf_with_value_and_origin():
    loaded = base()
    assert [(leaf.path, leaf.value, leaf.origin) for leaf in loaded.leaves] == [
        ("title", "worlds", "base.yaml:1"),
        ("seed", 0, "default of World"),
        ("backbone.use", "nano", "base.yaml:2"),
        ("backbone.width", 32, "default of NanoConfig"),
        ("backbone.depth", 2, "default of NanoConfig"),
        ("stages.sft.use", "sft", "base.yaml:4"),
        ("stages.sft.lr", 1e-3, "default of SFTConfig"),
        ("stages.sft.epochs", 1, "default of SFTConfig"),
        ("stages.grpo.use", "grpo", "base.yaml:5"),
        ("stages.grpo.lr", 2e-6, "base.yaml:6"),
        ("stages.grpo.group", 8, "default of GRPOConfig"),
        ("stages.grpo.rewards.none.use", "none", "base.yaml:7"),
        ("fallback.use", "nano", "default of World"),
        ("fallback.width", 7, "default of World"),
        ("fallback.depth", 2, "default of NanoConfig"),
        ("ks", [1, 10], "base.yaml:8"),
        ("split", "last", "default of World"),
        ("visibility", "fold", "default of World"),
        ("training.seconds", 60.0, "default of Training"),
        ("training.epochs", 1, "default of Training"),
    ]


def test_value_is_the_validated_model():
    loaded = base()
    assert loaded.value.stages[1].settings.lr == 2e-6
    assert (loaded.name, loaded.question, loaded.extends) == ("base", "", None)


def test_shorthand_argument_is_as_written_and_its_neighbours_are_defaults():
    Path("base.yaml").write_text("title: t\nbackbone: hf:some/model\n")
    assert origins(base())["backbone.path"] == "base.yaml:2"
    assert origins(base())["backbone.dtype"] == "default of HFConfig"
    changed = base("backbone.dtype=bfloat16")
    assert values(changed)["backbone.path"] == "some/model"
    assert origins(changed)["backbone.path"] == "base.yaml:2"
    assert origins(changed)["backbone.dtype"] == "--set"


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


def test_changing_only_use_keeps_what_was_written_but_no_defaults():
    loaded = base("stages.sft.use=none", "backbone.use=sft")
    assert [spec.use for spec in loaded.value.stages] == ["none", "grpo"]
    assert problems(delta("stages.grpo.use: sft")) == [
        "base.yaml:7: stages.1.rewards: unknown key 'rewards'; allowed: epochs, lr"
    ]


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


def test_an_override_may_change_nothing_and_wins_over_the_ablation():
    path = delta("seed: 3")
    assert load(path, World, ["seed=3"]).value.seed == 3
    loaded = load(path, World, ["seed=4", "stages.grpo={use: sft, lr: 1e-2}", "title=a=b"])
    assert (loaded.value.seed, loaded.value.stages[1].settings.lr, loaded.value.title) == (4, 0.01, "a=b")
    assert origins(loaded)["seed"] == origins(loaded)["stages.1.lr"] == "--set"


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


def test_a_missing_base_is_placed_with_the_nearest_file():
    assert problems(delta("seed: 1", extends="bsae.yaml")) == [
        "delta.yaml:1: extends: no file 'bsae.yaml'. Did you mean 'base.yaml'?"
    ]
    with pytest.raises(InputError, match=r"no file 'bas.yaml'\. Did you mean 'base.yaml'\?"):
        load(Path("bas.yaml"), World)


def test_all_problems_of_an_experiment_at_once_each_with_its_line():
    Path("base.yaml").write_text(
        """\
titel: worlds
backbone:
  use: nano
  widht: 3
  depth: many
stages: [sftt, {use: grpo, rewards: [none, {use: sft, epoch: 1}]}]
split: lst
seed: 1
seed: 2
training:
  epochs: 0
"""
    )
    assert sorted(problems("base.yaml")) == sorted(
        [
            "base.yaml:9: seed: given twice; first at base.yaml:8",
            "base.yaml:1: title: required, but missing",
            "base.yaml:4: backbone.widht: unknown key 'widht'; allowed: depth, width. Did you mean 'width'?",
            "base.yaml:5: backbone.depth: Input should be a valid integer, unable to parse string as an integer; "
            "got 'many'",
            "base.yaml:6: stages.0: unknown toy 'sftt'. Did you mean 'sft'? Known: grpo, hf, nano, none, sft.",
            "base.yaml:6: stages.1.rewards.1.epoch: unknown key 'epoch'; allowed: epochs, lr. Did you mean 'epochs'?",
            "base.yaml:7: split: Input should be 'last' or 'temporal'; got 'lst'. Did you mean 'last'?",
            "base.yaml:11: training.epochs: Input should be greater than or equal to 1; got 0",
            "base.yaml:1: titel: unknown key 'titel'; allowed: "
            "backbone, fallback, ks, seed, split, stages, title, training, visibility. Did you mean 'title'?",
        ]
    )


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
    ("path", "message"),
    [
        ("stages.grpo.lrr", "no 'lrr' here; there is: use, lr, group, rewards. Did you mean 'stages.grpo.lr'?"),
        ("grpo.lr", "no 'grpo' here; there is: title, seed, .*. Did you mean 'stages.grpo.lr'?"),
        ("stages.2.lr", "no '2' here; there is: sft, grpo. Did you mean 'stages.sft.lr'?"),
        ("stages.-1", "no '-1' here"),
        ("seed.x", "no 'x' here; this is a single value. Did you mean 'seed'?"),
        ("ks.5", "no '5' here; there is: 0, 1. Did you mean 'ks.1'?"),
        ("", "no '' here"),
        ("Stages.GRPO.lr", "Did you mean 'stages.grpo.lr'?"),
    ],
)
def test_an_unknown_path_names_the_nearest(path: str, message: str):
    (problem,) = problems("base.yaml", f"{path}=1")
    prefix = f"--set: {path}: " if path else "--set: : "
    assert problem.startswith(prefix)
    assert re.search(message.replace("?", r"\?"), problem)


def test_a_name_that_fits_twice_needs_an_index():
    Path("base.yaml").write_text("{title: t, backbone: nano, stages: [sft, none, sft]}")
    assert problems("base.yaml", "stages.sft.lr=1") == [
        "--set: stages.sft.lr: there are 2 'sft' in this list; say which by its index: 0, 2"
    ]
    loaded = base("stages.2.lr=1", "stages.none=nano")
    assert [spec.use for spec in loaded.value.stages] == ["sft", "nano", "sft"]
    assert origins(loaded)["stages.2.lr"] == "--set"


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


def test_malformed_overrides():
    assert problems("base.yaml", "seed", "seed=[1", "seed={a: 1, a: 2}") == [
        "--set: expected KEY.PATH=VALUE; got 'seed'",
        "--set: seed: not valid YAML: expected ',' or ']', but got '<stream end>'; got: [1",
        "--set: a: given twice; first at --set",
        "--set: seed: Input should be a valid integer; got {'a': 1}",
    ]


def test_a_wrong_override_is_placed_at_the_command_line():
    assert problems("base.yaml", "training.epochs=0") == [
        "--set: training.epochs: Input should be greater than or equal to 1; got 0"
    ]


def varied(vary: str, *, change: str = "", name: str = "epochs.yaml") -> Path:
    Path(name).write_text(f"extends: base.yaml\nquestion: How many?\nvary: {vary}\n" + change)
    return Path(name)


def test_an_ablation_that_varies_a_setting_is_an_experiment_per_value():
    found = load_all(varied("{training.epochs: [2, 4]}", change="change: {seed: 3}\n"), World)
    assert [(one.name, one.value.training.epochs, one.value.seed) for one in found] == [
        ("epochs 2", 2, 3),
        ("epochs 4", 4, 3),
    ]
    assert origins(found[1])["training.epochs"] == "ablation epochs.yaml:3"


def test_components_are_told_apart_by_their_names():
    found = load_all(varied("{backbone: [none, {use: nano, width: 8}]}"), World)
    assert [(one.name, one.value.backbone.use) for one in found] == [("epochs none", "none"), ("epochs nano", "nano")]


def test_the_value_that_the_experiment_has_is_no_variant():
    assert [one.name for one in load_all(varied("{training.epochs: [1, 2]}"), World)] == ["epochs 2"]
    assert problems(varied("{training.epochs: [1]}")) == [
        "epochs.yaml:3: training.epochs: changes nothing; it is 1 already"
    ]


def test_several_experiments_where_one_is_needed():
    with pytest.raises(InputError, match=r"epochs.yaml stands for 2 experiments, 'epochs 2', 'epochs 4'; here one"):
        load(varied("{training.epochs: [2, 4]}"), World)
    assert problems(delta("seed: 1", extends=str(varied("{training.epochs: [2, 4]}")))) == [
        "delta.yaml:1: extends: 'epochs.yaml' stands for several experiments: 2, 4"
    ]


def test_a_wrong_path_to_vary_is_told_once():
    assert problems(varied("{trainin.epochs: [2, 4]}")) == [
        "epochs.yaml:3: trainin.epochs: no 'trainin' here; there is: title, seed, backbone, stages, fallback, ks, "
        "split, visibility, training. Did you mean 'training.epochs'?"
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
