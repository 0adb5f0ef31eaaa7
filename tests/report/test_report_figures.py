"""Figures: drawn where there is something to draw, with the right numbers in them, and the same bytes every time."""

import json
import warnings
from xml.etree import ElementTree

import numpy as np
import pytest

from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.files import LOG
from r2rec_bench.report import drawing, figures
from r2rec_bench.report.comparisons import judged
from r2rec_bench.report.drawing import can_draw, heat_map
from r2rec_bench.report.figures import draw
from r2rec_bench.report.study import Study
from r2rec_bench.report.varied import Varied

pytest.importorskip("matplotlib")
HOSTILE = "50% $x_{$ <b> & \\frac \n 漢"


@pytest.fixture
def store(tmp_path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "store")


@pytest.fixture
def trained(store):
    """The evaluation of a model that was fine-tuned and reinforced, under a seed."""

    def make(seed: int):
        def logged(rows):
            return lambda out: (out / LOG).write_text(json.dumps({"log": rows, "alarms": []}))

        steps = range(1, 4)
        sft = store.get("sft", {"seed": seed}, (), (), logged([{"step": k, "loss": 1 / k} for k in steps]))
        rewards = [{"step": k, "loss": 0.0, "reward": k + seed} for k in steps]
        grpo = store.get("grpo", {"seed": seed}, (sft,), (), logged(rewards))
        return store.get("evaluation", {"seed": seed}, (grpo,), (), lambda out: (out / "x").write_text("x"))

    return make


@pytest.fixture
def study(make_row, trained) -> Study:
    rows = (
        make_row("ease", "baseline", [6] * 12, tokens=(0, 0)),
        make_row(HOSTILE, "untrained", [6] * 11 + [1]),
        make_row("R2Rec: sft", "r2rec", [1] * 12, tokens=(120, 36), artifact=trained(0)),
        make_row("R2Rec: sft", "r2rec", [1] * 11 + [2], group="same", ablation=True),
        make_row("R2Rec: sft", "r2rec", [2] * 12, group=HOSTILE, ablation=True),
    )
    return Study("x", "", rows, varied=(Varied("chains", HOSTILE, {"same": 1, HOSTILE: 16, "": 4}),))


def test_everything_is_drawn_twice_to_the_same_bytes(study, store, tmp_path):
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            drawn = draw(store, study, judged(study), folder)
    assert drawn == ["ablations.svg", "values.svg", "tokens.svg", "training.svg"]
    for name in drawn:
        content = folders[0].joinpath(name).read_bytes()
        ElementTree.fromstring(content)
        assert content == folders[1].joinpath(name).read_bytes()
        assert b"<dc:date>" not in content


def test_nothing_is_drawn_of_what_was_not_measured(make_row, store, tmp_path):
    study = Study("x", "", (make_row("ease", "baseline", [1, 2], tokens=(0, 0)),))
    assert draw(store, study, judged(study), tmp_path) == []
    assert not list(tmp_path.glob("*.svg"))


def test_without_matplotlib_nothing_is_drawn(study, store, tmp_path, monkeypatch):
    monkeypatch.setattr(drawing, "find_spec", lambda _: None)
    assert not can_draw()
    assert draw(store, study, judged(study), tmp_path) == []


@pytest.fixture
def kept(monkeypatch):
    """The figures that are drawn, by file name."""
    found = {}
    save = figures.save

    def keep(path, size, plot):
        def both(figure):
            plot(figure)
            found[path.name] = figure

        save(path, size, both)

    monkeypatch.setattr(figures, "save", keep)
    return found


def test_the_forest_has_a_filled_marker_where_the_difference_is_significant(study, store, tmp_path, kept):
    draw(store, study, judged(study), tmp_path)
    [axis] = kept["ablations.svg"].axes
    dots = [line for line in axis.lines if line.get_marker() == "o"]
    assert [float(dot.get_xdata()[0]) for dot in dots] == pytest.approx([1 / 12, 1.0])
    assert [dot.get_markerfacecolor() == "white" for dot in dots] == [True, False]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["same", HOSTILE.replace("\n", " ")]
    assert axis.yaxis_inverted()


def test_the_curve_goes_through_the_full_models_own_value(study, store, tmp_path, kept):
    draw(store, study, judged(study), tmp_path)
    [axis] = kept["values.svg"].axes
    assert axis.lines[0].get_xdata().tolist() == [1, 4, 16]
    assert axis.lines[0].get_ydata().tolist() == pytest.approx([11 / 12, 1, 0])
    assert axis.get_xscale() == "log"
    assert [line.get_marker() for line in axis.lines[1:]] == ["o", "s", "o"]


def test_tokens_are_those_of_a_user_and_systems_without_any_are_left_out(study, store, tmp_path, kept):
    draw(store, study, judged(study), tmp_path)
    [axis] = kept["tokens.svg"].axes
    points = {(round(float(line.get_xdata()[0]), 3), round(float(line.get_ydata()[0]), 3)) for line in axis.lines}
    assert points == {(6.417, 0.083), (13.0, 1.0), (6.417, 0.917), (6.417, 0.0)}


def test_training_has_a_panel_per_stage_and_a_line_per_seed(make_row, trained, store, tmp_path, kept):
    one, two = (make_row("R2Rec", "r2rec", [1, 2], artifact=trained(seed)) for seed in (0, 1))
    row = type(one)("", one.runs + two.runs)
    study = Study("x", "", (row,))
    assert "training.svg" in draw(store, study, judged(study), tmp_path)
    sft, grpo = kept["training.svg"].axes
    assert (sft.get_xlabel(), sft.get_ylabel()) == ("1. sft: step", "loss")
    assert (grpo.get_xlabel(), grpo.get_ylabel()) == ("2. grpo: step", "reward")
    assert [line.get_ydata().tolist() for line in grpo.lines] == [[1, 2, 3], [2, 3, 4]]


def test_a_heat_map_has_every_cell_in_words_and_leaves_white_what_is_missing(tmp_path, monkeypatch):
    found = []
    save = drawing.save
    monkeypatch.setattr(
        drawing, "save", lambda path, size, plot: save(path, size, lambda figure: (plot(figure), found.append(figure)))
    )
    values = np.array([[0.1, 0.9], [np.nan, 0.5]])
    texts = [["0.1", "0.9"], ["failed", "$x"]]
    for name in ("a.svg", "b.svg"):
        heat_map(tmp_path / name, ["one", HOSTILE], ["$p", "q"], values, label="HR@1", texts=texts)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    axis = found[0].axes[0]
    assert {text.get_position(): (text.get_text(), text.get_color()) for text in axis.texts} == {
        (0, 0): ("0.1", "white"),
        (1, 0): ("0.9", "black"),
        (0, 1): ("failed", "black"),
        (1, 1): ("$x", "white"),
    }
    assert np.ma.getmaskarray(axis.images[0].get_array()).tolist() == [[False, False], [True, False]]


def test_a_map_without_any_value_is_drawn_all_the_same(tmp_path):
    heat_map(tmp_path / "none.svg", ["r"], ["c"], np.full((1, 1), np.nan), label="HR@1", texts=[["failed"]])
    ElementTree.parse(tmp_path / "none.svg")
