"""Recipes of language models without chains: what they change, what they must not, and that they run."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from r2rec_bench.core.config import validate
from r2rec_bench.core.errors import ConfigError
from r2rec_bench.core.loading import load
from r2rec_bench.core.manifest import read_manifest
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.core.watch import Silent
from r2rec_bench.evaluation.base import Recipe, baselines
from r2rec_bench.evaluation.results import BASELINE, Run
from r2rec_bench.experiment import Experiment
from r2rec_bench.explain import explain
from r2rec_bench.pipeline import Pipeline
from tests.worlds import tiny

QUICKSTART = Path(__file__).parents[2] / "experiments" / "quickstart.yaml"
UNTRAINED = ["zero_shot_direct", "zero_shot_cot", "llmrank"]
POINTWISE = ["zero_shot_direct", "zero_shot_cot", "tallrec", "sft_direct", "reczero"]
NAMES = [*POINTWISE, "llmrank"]
RUN = {"hf": NAMES, "nano": ["zero_shot_cot", "tallrec", "reczero"]}
SMALLER: dict[str, Any] = {
    "data": {"users": 40, "items": 60, "interactions": 12},
    "candidates": {"n": 3, "users": 2},
    "prompts": {"budget": 900, "history": 1},
    "queries": {"n": 4, "touched": 0.5},
    "stages": [
        {"use": "sft", "lr": 1e-3, "batch_size": 2},
        {"use": "grpo", "lr": 1e-3, "steps": 1, "prompts": 1, "group": 2, "max_completion": 8},
    ],
    "ranker": {"max_thought_tokens": 8},
    "metrics": ["hr", "position_bias"],
}


def made(name: str, **settings: object) -> Recipe:
    cls = baselines.get(name)
    recipe = cls(validate(cls.config_type(), settings, name))
    assert isinstance(recipe, Recipe)
    return recipe


def changed(name: str, *overrides: str, **settings: object) -> Experiment:
    """The quickstart with a chat model as the recipe changes it."""
    experiment = load(QUICKSTART, Experiment, ["backbone=hf:some/model", *overrides]).value
    return experiment.with_recipe(name, made(name, **settings))


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_knows_no_chain_and_keeps_budget_history_and_all_that_rows_share(name):
    before, after = load(QUICKSTART, Experiment, ["backbone=hf:some/model"]).value, changed(name)
    assert after.chains.use == "none"
    own, now = before.prompts.to_dict(), after.prompts.to_dict()
    assert {key: now[key] for key in ("budget", "history", "wording")} == {key: own[key] for key in now if key != "use"}
    for part in ("data", "split", "visibility", "candidates", "seed", "backbone", "metrics"):
        assert getattr(after, part) == getattr(before, part)


@pytest.mark.parametrize("name", NAMES)
def test_the_length_of_the_history_is_a_setting(name):
    assert changed(name, history=33).prompts.to_dict()["history"] == 33


@pytest.mark.parametrize(
    ("name", "stages"),
    [*((name, []) for name in UNTRAINED), ("sft_direct", ["sft"]), ("tallrec", ["sft"]), ("reczero", ["grpo"])],
)
def test_what_trains_does_so_with_the_experiments_own_stage(name, stages):
    after = changed(name, "stages.sft.lr=3e-4", "stages.sft.epochs=2", "stages.grpo.steps=7", "stages.grpo.group=4")
    assert [stage.use for stage in after.stages] == stages
    for stage in after.stages:
        settings = stage.to_dict()
        if stage.use == "sft":
            assert (settings["lr"], settings["epochs"]) == (3e-4, 2)
        else:
            assert (settings["steps"], settings["group"], settings["beta"]) == (7, 4, 0)
            assert [one["reward"]["use"] for one in settings["rewards"]] == ["format", "rating"]


def test_a_stage_that_the_experiment_lacks_has_the_papers_numbers():
    [grpo] = changed("reczero", "stages=[]").stages
    assert (grpo.to_dict()["lr"], grpo.to_dict()["group"]) == (2e-6, 8)
    assert [stage.use for stage in changed("tallrec", "stages=[]").stages] == ["sft"]


def test_a_stage_that_went_on_from_an_adapter_starts_afresh():
    [grpo] = changed("reczero", "stages.grpo.handoff=continue").stages
    assert grpo.to_dict()["handoff"] == "fresh"


@pytest.mark.parametrize(
    ("ranker", "touched", "reading"),
    [
        ("{use: rating_expectation, max_thought_tokens: 9}", 1, "rating_expectation"),
        ("{use: self_consistency, reading: rating_expectation, max_thought_tokens: 9}", 1, "rating_expectation"),
        ("{use: listwise, max_thought_tokens: 9}", 0.35, "rating_interaction"),
        ("{use: interaction, max_thought_tokens: 9}", 0.35, "interaction"),
    ],
)
def test_answers_are_read_as_the_experiment_reads_them(ranker, touched, reading):
    overrides = (f"ranker={ranker}", f"queries.touched={touched}")
    for name in ("zero_shot_direct", "zero_shot_cot", "sft_direct", "reczero"):
        after = changed(name, *overrides)
        assert after.ranker.to_dict() == {"use": reading, "max_thought_tokens": 9}
        assert after.queries.touched == touched
    for name, use in (("tallrec", "interaction"), ("llmrank", "listwise")):
        after = changed(name, *overrides)
        assert (after.ranker.use, after.queries.touched) == (use, min(touched, 0.5))


def test_the_settings_of_llmrank_are_those_of_its_list():
    ranker = changed("llmrank", "seed=5", prompting="sequential", permutations=7, by="generation").ranker.to_dict()
    assert {key: ranker[key] for key in ("by", "permutations", "recency", "seed")} == {
        "by": "generation", "permutations": 7, "recency": False, "seed": 5
    }  # fmt: skip
    assert changed("llmrank").ranker.to_dict()["recency"]


def test_llmrank_refuses_a_backbone_without_titles_before_any_work():
    with pytest.raises(ConfigError, match=r"(?s)baselines: llmrank: .*the wording 'compact' has no words"):
        load(QUICKSTART, Experiment, ["baselines=[llmrank]"])
    for name in POINTWISE:
        load(QUICKSTART, Experiment, [f"baselines=[{name}]"])


class Cheat(Recipe):
    """Wants easier data."""

    def change(self, experiment: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"data": "movielens-100k", "candidates": {}, "stages": []}


def test_a_recipe_that_changes_the_data_is_refused(monkeypatch):
    monkeypatch.setitem(baselines._classes, "cheat", Cheat)
    with pytest.raises(
        ConfigError, match=r"(?s)baselines: cheat: 2 problems.*data: a recipe may change chains, prompts"
    ):
        load(QUICKSTART, Experiment, ["baselines=[cheat]"])


@pytest.fixture(scope="module")
def rows(shared_qwen2, tmp_path_factory) -> Callable[[str], dict[str, Run]]:
    """The baselines of one small experiment, by backbone."""
    made: dict[str, dict[str, Run]] = {}

    def run(backbone: str) -> dict[str, Run]:
        if backbone not in made:
            model = {"use": "hf", "path": str(shared_qwen2.path), "dtype": "float32"} if backbone == "hf" else {}
            names = ["popularity", *RUN[backbone]]
            experiment = validate(Experiment, tiny(**SMALLER, backbone=model, baselines=names), "tiny")
            pipeline = Pipeline(experiment, ArtifactStore(tmp_path_factory.mktemp(backbone)), Silent())
            made[backbone] = {spec.use: pipeline.contender(spec) for spec in experiment.baselines}
        return made[backbone]

    return run


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["hf", "nano"])
def test_all_that_can_run_are_rows_of_the_same_table(rows, backbone):
    table = rows(backbone)
    popular = table["popularity"].result
    for name, row in table.items():
        assert row.result.kind == BASELINE
        assert (row.result.users.user_ids, row.result.users.item_ids) == (
            popular.users.user_ids,
            popular.users.item_ids,
        )
        assert row.result.protocol == popular.protocol
        inputs, others = (read_manifest(one.artifact.path).recipe.inputs for one in (row, table["popularity"]))
        assert inputs[:2] == others[:2]  # data and candidates
        if name != "popularity":
            assert row.result.cost.prompt_tokens > 0
    named = {name: name if name == "popularity" else f"{name} ({backbone})" for name in table}
    named |= {name: f"{name}-style ({backbone})" for name in ("tallrec", "reczero", "llmrank") if name in table}
    assert {name: row.result.system for name, row in table.items()} == named


@pytest.mark.slow
def test_position_bias_is_known_of_lists_alone(rows):
    known = {name: ~np.isnan(row.result.users.values("list_valid")) for name, row in rows("hf").items()}
    assert {name for name, values in known.items() if values.any()} == {"llmrank"}
    assert known["llmrank"].all()


@pytest.mark.slow
def test_a_choice_from_a_list_can_be_explained(rows):
    row = rows("hf")["llmrank"].result
    store = ArtifactStore(rows("hf")["llmrank"].artifact.path.parents[1])
    shown = explain(store, row.run_id, row.users.user_ids[0])
    assert shown.ranker == "listwise"
    assert shown.candidates == 4
    assert "in a list of 4; the answer was" in shown.verdict or shown.verdict == "no answer that could be read"


@pytest.mark.slow
def test_yes_and_no_are_learnt_and_asked_as_words(rows):
    import pyarrow.parquet as pq

    cases = pq.read_table(rows("hf")["tallrec"].artifact.path / "cases.parquet").to_pylist()
    assert {case["completion"] for case in cases} <= {"<answer> Yes</answer>", "<answer> No</answer>"}
    assert all("Would the user interact with" in case["prompt"] for case in cases)
    assert np.isnan(rows("hf")["tallrec"].result.users.metrics.get("mae", np.nan)).all()
