"""Experiments from YAML: every leaf with its origin, overrides, and all problems at once, each with its line."""

import re
from pathlib import Path

import pytest

from r2rec_bench.core.loading import load
from tests.core.loadable import World, base, delta, origins, problems, values

pytestmark = pytest.mark.usefixtures("base_file")


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


def test_changing_only_use_keeps_what_was_written_but_no_defaults():
    loaded = base("stages.sft.use=none", "backbone.use=sft")
    assert [spec.use for spec in loaded.value.stages] == ["none", "grpo"]
    assert problems(delta("stages.grpo.use: sft")) == [
        "base.yaml:7: stages.1.rewards: unknown key 'rewards'; allowed: epochs, lr"
    ]


def test_an_override_may_change_nothing_and_wins_over_the_ablation():
    path = delta("seed: 3")
    assert load(path, World, ["seed=3"]).value.seed == 3
    loaded = load(path, World, ["seed=4", "stages.grpo={use: sft, lr: 1e-2}", "title=a=b"])
    assert (loaded.value.seed, loaded.value.stages[1].settings.lr, loaded.value.title) == (4, 0.01, "a=b")
    assert origins(loaded)["seed"] == origins(loaded)["stages.1.lr"] == "--set"


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
