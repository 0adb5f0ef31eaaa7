import logging
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import optuna
import pytest
import yaml
from pydantic import Field, ValidationError

from r2rec_bench.core.config import Config, Tune
from r2rec_bench.core.errors import InputError, R2RecError
from r2rec_bench.core.search import knobs
from r2rec_bench.data.base import sources
from r2rec_bench.evaluation.base import Baseline, baselines

BASELINES = Path(__file__).parents[2] / "baselines"
sys.path.append(str(BASELINES))  # scripts of the repository, not modules of a package

import trials  # noqa: E402
import tune  # noqa: E402


class Example(Config):
    whole: Annotated[int, Field(ge=1), Tune(2, 8)] = 4
    real: Annotated[float, Field(gt=0), Tune(0.01, 10, log=True)] = 0.1
    optional: Annotated[int, Field(ge=1), Tune(10, 1000, log=True)] | None = None
    inside: Annotated[float | None, Tune(0, 1)] = 0.5
    fixed: int = 3


class FakeJudge:
    """Likes a shrinkage near 20, keeps what it was asked, and fails or stalls where it is told to."""

    def __init__(self, errors: dict[int, Exception] | None = None) -> None:
        self.asked: list[dict[str, object]] = []
        self.errors = errors or {}

    def __call__(self, name: str, settings: dict[str, object]) -> trials.Score:
        self.asked.append(settings)
        if error := self.errors.get(len(self.asked) - 1):
            raise error
        return trials.Score(1 / (1 + abs(settings["shrinkage"] - 20)), 0.25, float("nan"), 1.5)


@pytest.fixture
def study() -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(direction="maximize")


def test_knobs_are_the_settings_with_a_range():
    found = {knob.name: knob for knob in knobs(Example)}
    assert list(found) == ["whole", "real", "optional", "inside"]
    assert [knob.whole for knob in found.values()] == [True, False, True, False]
    assert [knob.optional for knob in found.values()] == [False, False, True, True]
    assert found["real"].tune == Tune(0.01, 10, log=True)


def test_suggestions_keep_to_type_and_range_and_are_written_as_tried(study):
    values = {knob.name: set() for knob in knobs(Example)}
    for _ in range(40):
        trial = study.ask()
        for knob in knobs(Example):
            values[knob.name].add(knob.suggest(trial))
    assert values["whole"] <= set(range(2, 9))
    assert all(0.01 <= value <= 10 and value == float(f"{value:.3g}") for value in values["real"])
    assert None in values["optional"]
    assert all(isinstance(value, int) and 10 <= value <= 1000 for value in values["optional"] - {None})


@pytest.mark.parametrize("value", [{"optional": None, "inside": 0.25}, {"optional": 77, "inside": None}])
def test_parameters_make_optuna_suggest_that_value(study, value):
    wanted = {"whole": 5, "real": 0.123, **value}
    found = knobs(Example)
    study.enqueue_trial({key: v for knob in found for key, v in knob.parameters(wanted[knob.name]).items()})
    trial = study.ask()
    assert {knob.name: knob.suggest(trial) for knob in found} == wanted


@pytest.mark.parametrize("name", [name for name, cls in baselines if issubclass(cls, Baseline)])
def test_every_baselines_ranges_are_valid_and_hold_its_defaults(name):
    config = baselines.get(name).config_type()
    defaults = config()
    for knob in knobs(config):
        for end in (knob.tune.low, knob.tune.high):
            try:
                config(**{**defaults.model_dump(), knob.name: int(end) if knob.whole else end})
            except ValidationError as error:
                pytest.fail(f"{name}: {error}")
        default = getattr(defaults, knob.name)
        assert default is None or knob.tune.low <= default <= knob.tune.high, knob


def test_the_first_trial_is_the_defaults_and_the_best_one_is_written(study):
    judge = FakeJudge()
    tune.searched(study, "item_knn", 8, judge)
    assert judge.asked[0] == {"shrinkage": 10.0, "k": None}
    assert len(judge.asked) == 8
    found = tune.entry(study, limit_minutes=3)
    assert found["settings"] == min(judge.asked, key=lambda settings: abs(settings["shrinkage"] - 20))
    assert found["by"] == "ndcg@10"
    assert found["validation"]["ndcg@10"] > found["defaults"]["ndcg@10"] == pytest.approx(1 / 11, abs=1e-4)
    assert found["trials"] == {"scored": 8, "cut": 0, "failed": 0}
    assert found["limit_minutes"] == 3


def test_a_rating_predictor_is_chosen_by_its_error(study):
    scores = [trials.Score(0.9, 0.5, 0.8, 1.0), trials.Score(0.1, 0.0, 0.7, 1.0), trials.Score(0.95, 0.5, 0.9, 1.0)]
    asked = []

    def judge(name, settings):
        asked.append(settings)
        return scores[len(asked) - 1]

    tune.searched(study, "biased_mf", 3, judge)
    found = tune.entry(study, 1)
    assert found["by"] == "mae"
    assert found["settings"] == asked[1]
    assert found["validation"] == {"ndcg@10": 0.1, "hr@1": 0.0, "mae": 0.7}


def test_trials_that_fail_or_take_too_long_count(study, caplog):
    judge = FakeJudge({1: RuntimeError("out of luck"), 2: trials.TimeLimitError("cut after 9 s")})
    with caplog.at_level(logging.INFO, "tune"):
        tune.searched(study, "item_knn", 5, judge)
    assert len(judge.asked) == 5
    assert tune.entry(study, 3)["trials"] == {"scored": 3, "cut": 1, "failed": 1}
    assert "item_knn 2/5: failed: RuntimeError: out of luck" in caplog.text
    assert "item_knn 3/5: cut after 9 s" in caplog.text


def test_no_trial_begins_once_the_budget_is_used_up(study):
    judge = FakeJudge({1: trials.TimeLimitError("too long")})
    minutes = 3.5 / 60  # a trial says that it took 1.5 s; what is cut took no time worth speaking of
    tune.searched(study, "item_knn", 8, judge, minutes)
    assert len(judge.asked) == 4
    tune.searched(study, "item_knn", 8, judge, minutes)  # what earlier runs took is remembered
    assert len(judge.asked) == 4
    found = tune.entry(study, 1, minutes)
    assert (found["trials"], found["budget_minutes"]) == ({"scored": 3, "cut": 1, "failed": 0}, minutes)
    assert "budget_minutes" not in tune.entry(study, 1)


def test_nothing_is_written_when_no_trial_gave_a_score(study):
    tune.searched(study, "item_knn", 2, FakeJudge({0: R2RecError("no"), 1: R2RecError("no")}))
    assert tune.entry(study, 3) is None


def test_a_baseline_that_cannot_be_used_with_its_defaults_is_not_tried_further(study):
    judge = FakeJudge({0: InputError("needs ratings")})
    with pytest.raises(InputError, match="needs ratings"):
        tune.searched(study, "item_knn", 5, judge)
    assert len(judge.asked) == 1


def test_an_interrupted_search_goes_on_with_what_it_would_have_tried(study):
    whole, first, second = FakeJudge(), FakeJudge({3: KeyboardInterrupt()}), FakeJudge()
    tune.searched(study, "item_knn", 9, whole)
    broken = optuna.create_study(direction="maximize")
    with pytest.raises(KeyboardInterrupt):
        tune.searched(broken, "item_knn", 9, first)
    tune.searched(broken, "item_knn", 9, second)
    assert first.asked[:3] + second.asked == whole.asked
    assert tune.entry(broken, 3)["trials"] == {"scored": 9, "cut": 0, "failed": 0}


def test_trials_are_found_again_by_all_that_decided_them_and_nothing_else(two_tastes, asked, tmp_path, monkeypatch):
    monkeypatch.setenv("R2REC_CACHE", str(tmp_path))
    task, told = trials.Task(two_tastes, asked([0], [[1, 2]])), []
    monkeypatch.setattr(tune, "code_digest", lambda names: told.append(set(names)) or "code")
    with tune.study_of("item_knn", task, limit_minutes=1.0) as study:
        tune.searched(study, "item_knn", 2, FakeJudge())
    for limit, n in ((1.0, 2), (2.0, 0)):
        with tune.study_of("item_knn", task, limit) as study:
            assert len(tune.counted(study)) == n
    assert {"trials", "r2rec_baselines", "r2rec_bench.evaluation", "r2rec_bench.data.splits"} <= told[0]
    assert "r2rec_bench.core" not in told[0]  # much of it is of errors and of words


def test_merging_keeps_what_else_the_file_holds(tmp_path, monkeypatch):
    monkeypatch.setenv("R2REC_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "tuned.yaml"
    tune.merge(path, "b", "als", {"settings": {"factors": 8}})
    tune.merge(path, "a", "ease", {"settings": {"l2": 1e-05}})
    tune.merge(path, "b", "als", {"settings": {"factors": 16}})
    tune.merge(path, "b", "bpr", {"settings": {"factors": 4}})
    stored = yaml.safe_load(path.read_text())
    assert stored["b"] == {"als": {"settings": {"factors": 16}}, "bpr": {"settings": {"factors": 4}}}
    assert stored["a"]["ease"]["settings"]["l2"] == pytest.approx(1e-5)
    assert list(stored) == ["a", "b"]
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_file()] == ["tuned.yaml"]


def test_a_trial_that_takes_too_long_is_cut_and_the_next_one_is_judged_anew(two_tastes, asked):
    candidates = asked(list(range(40)), [list(range(20))] * 40)
    task = trials.Task(two_tastes, candidates)
    for _ in range(2):
        with pytest.raises(trials.TimeLimitError, match="cut after"):
            trials.LimitedJudge(task, limit_minutes=1e-9)("bpr", {"iterations": 1_000_000})
    assert trials.LimitedJudge(task, limit_minutes=10)("bpr", {"iterations": 1}).seconds < 600


@pytest.mark.slow
def test_the_command_tunes_on_a_generated_world_and_its_trials_are_found_again(tmp_path, monkeypatch):
    monkeypatch.setenv("R2REC_CACHE", str(tmp_path / "cache"))
    out = tmp_path / "tuned.yaml"
    command = [sys.executable, str(BASELINES / "tune.py"), "synthetic", "--baseline", "item_knn"]
    done = subprocess.run([*command, "--trials", "2", "--out", str(out)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = yaml.safe_load(out.read_text())["synthetic"]["item_knn"]
    assert found["trials"] == {"scored": 2, "cut": 0, "failed": 0}
    assert set(found["settings"]) == {"k", "shrinkage"}
    assert 0.05 < found["defaults"]["hr@1"] < found["defaults"]["ndcg@10"] <= found["validation"]["ndcg@10"] < 1
    task = trials.Task.of(sources.get("synthetic")().load().log)
    with tune.study_of("item_knn", task, found["limit_minutes"]) as study:
        assert tune.entry(study, found["limit_minutes"]) == found
    with tune.study_of("ease", task, found["limit_minutes"]) as study:
        assert tune.counted(study) == []


def test_what_cannot_be_tuned_is_said(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"'popularity' has nothing to tune; what has: als, "):
        tune.tune("synthetic", ["popularity"], 1, 1.0, None, tmp_path / "tuned.yaml")
    with pytest.raises(InputError, match=r"'eas'.*Did you mean 'ease'"):
        tune.tune("synthetic", ["eas"], 1, 1.0, None, tmp_path / "tuned.yaml")
