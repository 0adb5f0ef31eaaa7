"""Ablations that vary a setting: an experiment for each value."""

from pathlib import Path

import pytest

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.loading import load, load_all
from tests.core.loadable import World, delta, origins, problems

pytestmark = pytest.mark.usefixtures("base_file")


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
