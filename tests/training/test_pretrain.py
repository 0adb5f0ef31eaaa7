"""Weights from nothing: what is written, that it is used, that it is the seed's, and what failure leaves."""

import ast
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from r2rec_bench.cli.app import app
from r2rec_bench.core.config import validate
from r2rec_bench.core.fingerprint import code_digest
from r2rec_bench.core.types import NONE_RATING
from r2rec_bench.llm.base import Checkpoint, LoadOptions
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.llm.nano import WEIGHTS, Nano, NanoConfig, NanoShape
from r2rec_bench.training import pretrain
from r2rec_bench.training.pretrain import Pretrain, PretrainConfig, corpus, write_weights

TINY = PretrainConfig(worlds=1, questions=64, batch_size=16, shape=NanoShape(width=16, layers=1, heads=2))


def silent(*_: object) -> None: ...


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pretrained") / "deep" / "nano"
    write_weights(TINY, 0, out, silent)
    return out


@pytest.mark.slow
def test_the_weights_are_a_backbone(made):
    backbone = Nano(NanoConfig(weights=made))
    model = LanguageModel.load(backbone.checkpoint(), backbone.load_options())
    assert model.model.config.hidden_size == 16
    assert model.model.config.num_hidden_layers == 1
    assert backbone.identity() != Nano().identity()
    shipped = LanguageModel.load(Checkpoint(WEIGHTS), LoadOptions())
    assert model.tokenizer.get_vocab() == shipped.tokenizer.get_vocab()


@pytest.mark.slow
def test_the_recipe_makes_the_same_weights_again(made, tmp_path):
    recipe = json.loads((made / "recipe.json").read_text("utf-8"))
    assert recipe["corpus"]["traces"] == 64
    assert recipe["corpus"]["tokens"] > 64 * 10
    config = validate(PretrainConfig, recipe["settings"], "recipe.json")
    assert config == TINY
    write_weights(config, recipe["seed"], tmp_path / "again", silent)
    write_weights(config, recipe["seed"] + 1, tmp_path / "other", silent)
    content = (made / "model.safetensors").read_bytes()
    assert (tmp_path / "again" / "model.safetensors").read_bytes() == content
    assert (tmp_path / "other" / "model.safetensors").read_bytes() != content


@pytest.mark.slow
def test_the_log_and_the_progress_tell_of_every_step(tmp_path):
    told: list[tuple[int, int]] = []
    write_weights(
        TINY.model_copy(update={"batch_size": 4}), 0, tmp_path / "nano", lambda done, n, _: told.append((done, n))
    )
    assert told == [(1, 1), *((step, 16) for step in range(1, 17))]  # worlds, then updates
    log = [json.loads(line) for line in (tmp_path / "nano" / "training_log.jsonl").read_text("utf-8").splitlines()]
    assert [row["step"] for row in log] == [1, 11]  # every tenth
    assert log[-1]["loss"] < log[0]["loss"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["nano"]


@pytest.mark.slow
def test_what_fails_leaves_what_it_goes_on_from_alone(tmp_path, monkeypatch):
    def fail() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pretrain, "capture", fail)  # the last thing needed: the weights are there already
    with pytest.raises(KeyboardInterrupt):
        write_weights(TINY, 0, tmp_path / "nano", silent)
    [left] = tmp_path.iterdir()
    assert re.fullmatch(r"\.nano-\w+\.unfinished", left.name)
    monkeypatch.undo()
    monkeypatch.setattr(pretrain, "corpus", None)  # kept, and not made again
    write_weights(TINY, 0, tmp_path / "nano", silent)
    assert [path.name for path in tmp_path.iterdir()] == ["nano"]


@pytest.mark.slow
def test_the_command_trains_and_replaces_nothing(tmp_path):
    out = tmp_path / "nano"
    sets = ["worlds=1", "questions=16", "batch_size=8", "shape={width: 16, layers: 1, heads: 2}"]
    arguments = ["pretrain", str(out), *(word for each in sets for word in ("--set", each))]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == f"Weights: {out}"
    before = {path: path.read_bytes() for path in out.iterdir()}
    refused = CliRunner().invoke(app, arguments)
    assert refused.exit_code == 2
    assert f"{out} exists; name a folder that does not" in " ".join(refused.stderr.split())
    assert {path: path.read_bytes() for path in out.iterdir()} == before


def test_the_corpus_asks_in_every_form():
    told: list[int] = []
    traces = corpus(12, 40, 0, told.append)
    assert told == list(range(1, 13))
    assert len(traces) <= 12 * 40
    assert traces == corpus(12, 40, 0, silent)
    asks = {trace.prompt.ask for trace in traces}
    assert asks == {"[MASK] touch think", "[MASK] touch direct", "[MASK] rate think", "[MASK] rate direct"}
    untouched = [trace.answer == NONE_RATING for trace in traces if " touch " in trace.prompt.ask]
    assert 0.55 < sum(untouched) / len(untouched) < 0.75
    assert all(trace.answer != NONE_RATING for trace in traces if " rate " in trace.prompt.ask)
    assert all(bool(trace.thoughts) == (trace.prompt.ask.endswith("think")) for trace in traces if trace.prompt.pieces)


def test_worlds_do_not_depend_on_how_many_there_are():
    few, more = (corpus(worlds, 20, 0, silent) for worlds in (2, 3))
    assert {trace.prompt.content for trace in few} <= {trace.prompt.content for trace in more}


def test_shipped_weights_say_how_they_were_made():
    recipe = json.loads((WEIGHTS / "recipe.json").read_text("utf-8"))
    assert recipe["corpus"]["data"] == "generated worlds only"
    assert validate(PretrainConfig, recipe["settings"], "recipe.json") == PretrainConfig()
    log = [json.loads(line) for line in (WEIGHTS / "training_log.jsonl").read_text("utf-8").splitlines()]
    assert log[-1]["loss"] < 0.5 * log[0]["loss"]


def test_all_that_makes_the_corpus_decides_what_is_made_again():
    assert code_digest(Pretrain.code)  # all there
    tree = ast.parse(Path(pretrain.__file__).read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    rooms = {".".join(name.split(".")[:2]) for name in imported if name.startswith("r2rec_bench.")}
    assert "r2rec_bench.data" in rooms
    # Every stage is made again when one of these changes.
    assert rooms - {f"r2rec_bench.{room}" for room in ("core", "llm", "prompts", "training")} == set(Pretrain.code)
