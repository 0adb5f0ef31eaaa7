"""Sweeps: what is searched, going on after an interruption, failures, pruning, and the experiment that is written."""

import csv
import json
from wsgiref.util import setup_testing_defaults

import optuna
import pytest
from optuna.trial import TrialState
from typer.testing import CliRunner

from r2rec_bench.cli.app import app
from r2rec_bench.core.config import Tune
from r2rec_bench.core.errors import ConfigError, InputError, R2RecError
from r2rec_bench.core.loading import load
from r2rec_bench.core.search import knobs_below
from r2rec_bench.core.watch import Silent
from r2rec_bench.experiment import Experiment
from r2rec_bench.sweep import study as under_test
from r2rec_bench.sweep.definition import read_sweep
from r2rec_bench.sweep.outputs import write_best, write_plots, write_trials


def sweep(searched, tmp_path, told=lambda trial: None):
    return under_test.run_sweep(
        searched, f"sqlite:///{tmp_path / 's.sqlite'}", None, Silent(), told, tmp_path / "workers"
    )


def states(study):
    return [trial.state for trial in study.trials]


def test_what_may_be_searched_is_found_by_path(sweep_file):
    experiment = load(sweep_file().parent / "tiny.yaml", Experiment).value
    [lr] = knobs_below(experiment, "stages.sft.lr")
    assert (lr.name, lr.tune.log, lr.whole) == ("stages.sft.lr", True, False)
    below = {knob.name: knob for knob in knobs_below(experiment, "stages.grpo")}
    assert {"stages.grpo.lr", "stages.grpo.beta", "stages.grpo.group"} <= set(below)
    assert below["stages.grpo.group"].whole
    assert [knob.name for knob in knobs_below(experiment, "queries.touched")] == ["queries.touched"]
    assert knobs_below(experiment, "stages.dpo.lr") == knobs_below(experiment, "name") == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"search": {"stages.sft.epohcs": "tune"}}, "search.stages.sft.epohcs: no setting with a range"),
        ({"search": {"chains.nn": {"low": 1, "high": 2}}}, "no 'nn' here.*Did you mean 'chains.n'"),
        ({"search": {"chains.n": {"low": 3, "high": 2}}}, "expected low < high"),
        ({"search": {"chains.use": ["recent", "recnt"]}, "fixed": {"teacher": "templte"}}, "Did you mean 'template'"),
        ({"search": {"chains.n": {"low": 2.5, "high": 4}}}, "search.chains.n: an integer; expected whole numbers"),
        (
            {"search": {"chains.n": {"low": 2, "high": 4, "whole": True}}},
            "unknown key 'whole'",
        ),
        ({"search": {"chains.n": []}}, "search.chains.n"),
        ({"search": {"chains.use": ["recent", "recnt"]}}, "search.chains.use: recnt: .*Did you mean 'recent'"),
        ({"search": {"queries.touched": {"low": 0.5, "high": 1.5}}}, "search.queries.touched: 1.5: .*less than"),
        ({"search": {"chains.n": "tune"}, "fixed": {"chains.n": 3}}, "search.chains.n: it is fixed as well"),
        ({"trails": 4}, "unknown key 'trails'.*Did you mean 'trials'"),
        ({"fixed": {"stages": []}, "search": {"chains.n": "tune"}}, "trains no model"),
        ({"objective": "mae"}, "sweep.yaml: .*of 'mae' less is better; set direction to minimize"),
        ({"fixed": {"candidates.fold": "test"}}, "fixed.candidates.fold: .*on the validation fold"),
        ({"search": {"candidates.fold": ["validation", "test"]}}, "search.candidates.fold: .*on the validation fold"),
    ],
)
def test_a_wrong_sweep_is_refused_before_the_first_trial(sweep_file, changes, message):
    with pytest.raises((ConfigError, InputError), match=message.replace(".", r"\.").replace(r"\.*", r"(?s:.*)")):
        read_sweep(sweep_file(**changes))


def test_a_longer_path_narrows_what_a_component_is_tuned_in(sweep_file):
    alone = read_sweep(sweep_file(search={"stages.grpo": "tune"}))
    ranges = {knob.name: knob.tune for knob in alone.knobs}
    assert {"stages.grpo.lr", "stages.grpo.beta", "stages.grpo.group", "stages.grpo.temperature"} <= set(ranges)
    narrowed = read_sweep(
        sweep_file(
            search={
                "stages.grpo.beta": [0.0, 0.01],
                "stages.grpo": "tune",
                "stages.grpo.lr": {"low": 1e-5, "high": 1e-4, "log": True},
            },
            fixed={"stages.grpo.group": 8, "baselines": []},
        )
    )
    knobs = {knob.name: knob for knob in narrowed.knobs}
    assert set(knobs) == set(ranges) - {"stages.grpo.beta", "stages.grpo.group"}
    assert knobs["stages.grpo.lr"].tune == Tune(1e-5, 1e-4, log=True)
    assert knobs["stages.grpo.temperature"].tune == ranges["stages.grpo.temperature"]
    assert narrowed.choices == {"stages.grpo.beta": (0.0, 0.01)}
    assert "stages.grpo.group=8" in narrowed.overrides({})


def test_a_range_of_an_integer_is_of_whole_numbers(sweep_file):
    ranges = {"chains.n": {"low": 2, "high": 16}, "queries.n": {"low": 16, "high": 64, "log": True}}
    found = read_sweep(sweep_file(search={**ranges, "queries.touched": {"low": 0.1, "high": 0.5}})).knobs
    assert {knob.name: knob.whole for knob in found} == {"chains.n": True, "queries.n": True, "queries.touched": False}


def test_a_key_that_stands_twice_is_refused(sweep_file):
    file = sweep_file()
    file.write_text(file.read_text() + "seed: 1\nseed: 2\n")
    with pytest.raises(ConfigError, match=r"sweep\.yaml:\d+: .*seed"):
        read_sweep(file)


@pytest.mark.usefixtures("faked")
def test_trials_are_judged_on_validation_and_the_best_is_an_ordinary_experiment(sweep_file, tmp_path):
    searched = read_sweep(sweep_file(trials=12))
    study = sweep(searched, tmp_path)
    done = [t for t in study.trials if t.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    assert len(done) == 12
    file = tmp_path / "out" / "best.yaml"
    write_best(searched, study, file)
    best = load(file, Experiment).value
    assert best.stages[0].settings.lr == pytest.approx(study.best_trial.params["stages.sft.lr"], rel=5e-3)
    assert best.chains.settings.n == study.best_trial.params["chains.n"]
    assert best.candidates.fold == "test"
    assert [spec.use for spec in best.baselines] == ["popularity"]
    assert best.name == "find-best"
    assert "validation" in file.read_text().splitlines()[0] + file.read_text().splitlines()[1]
    assert any('candidates.fold="validation"' in change for change in searched.overrides({}))


@pytest.mark.usefixtures("faked")
def test_a_sweep_goes_on_to_its_target_and_no_further(sweep_file, tmp_path):
    first = sweep(read_sweep(sweep_file(trials=3)), tmp_path)
    values = [trial.value for trial in first.trials if trial.state is TrialState.COMPLETE]
    longer = sweep(read_sweep(sweep_file(trials=5)), tmp_path)
    assert longer.study_name == first.study_name
    assert [t.value for t in longer.trials if t.state is TrialState.COMPLETE][: len(values)] == values
    ended = sum(state in (TrialState.COMPLETE, TrialState.PRUNED) for state in states(longer))
    assert ended == 5
    assert len(sweep(read_sweep(sweep_file(trials=5)), tmp_path).trials) == len(longer.trials)


@pytest.mark.usefixtures("faked")
def test_other_settings_are_another_study(sweep_file, tmp_path):
    names = {
        under_test.study_name(read_sweep(sweep_file(**changes)))
        for changes in ({}, {"seed": 1}, {"fixed": {"seed": 4}})
    }
    assert len(names) == 3


@pytest.mark.usefixtures("faked")
def test_a_failed_trial_is_recorded_and_tried_once_more(sweep_file, tmp_path):
    file = sweep_file(search={"stages.sft.lr": {"low": 1e-3, "high": 6e-3}}, trials=8)
    study = sweep(read_sweep(file), tmp_path)
    failed = [trial for trial in study.trials if trial.state is TrialState.FAIL]
    tried = [trial.params["stages.sft.lr"] for trial in failed]
    assert tried
    assert all(tried.count(lr) == 2 for lr in tried)
    assert {trial.user_attrs["failed"] for trial in failed} == {"sft: loss is nan at step 3"}


@pytest.mark.usefixtures("faked")
def test_a_sweep_in_which_everything_fails_ends_with_the_reason(sweep_file, tmp_path):
    file = sweep_file(search={"stages.sft.lr": {"low": 6e-3, "high": 9e-3}})
    with pytest.raises(R2RecError, match="8 trials failed one after the other; the last: sft: loss is nan at step 3"):
        sweep(read_sweep(file), tmp_path)


@pytest.mark.usefixtures("faked")
def test_a_model_that_is_worse_than_most_after_its_first_stage_is_not_trained_further(sweep_file, tmp_path):
    search = {"stages.sft.lr": {"low": 1e-5, "high": 4e-3, "log": True}, "chains.n": [2, 8, 14]}
    study = sweep(read_sweep(sweep_file(search=search, trials=20)), tmp_path)
    pruned = [trial for trial in study.trials if trial.state is TrialState.PRUNED]
    assert pruned
    assert all(list(trial.intermediate_values) == [0] for trial in pruned)
    never = sweep(read_sweep(sweep_file(search=search, trials=8, pruner="none")), tmp_path)
    assert TrialState.PRUNED not in states(never)


@pytest.mark.usefixtures("faked")
def test_an_objective_that_is_not_measured_is_named(sweep_file, tmp_path):
    study = sweep(read_sweep(sweep_file(trials=1)), tmp_path)
    assert study.best_value <= 1
    searched = read_sweep(sweep_file(trials=1, objective="ndgc@10"))
    with pytest.raises(InputError, match=r"unknown objective 'ndgc@10'.*Did you mean 'ndcg@10'"):
        sweep(searched, tmp_path)
    with pytest.raises(InputError, match=r"unknown objective 'x'\. Known: hr@1, ndcg@10"):
        sweep(read_sweep(sweep_file(trials=1, objective="x")), tmp_path)


@pytest.mark.usefixtures("faked")
def test_trials_and_plots_are_written(sweep_file, tmp_path):
    searched = read_sweep(sweep_file(trials=6))
    study = sweep(searched, tmp_path)
    write_trials(searched, study, tmp_path / "trials.csv")
    head, *rows = (tmp_path / "trials.csv").read_text().splitlines()
    assert head.startswith("trial,state,ndcg@10,seconds,")
    assert len(rows) == len(study.trials)
    missed = write_plots(study, tmp_path)
    drawn = {file.name for file in tmp_path.glob("*.svg")}
    assert drawn | {f"{text.partition(':')[0]}.svg" for text in missed} == {"history.svg", "importance.svg"}
    assert "history.svg" in drawn


@pytest.mark.usefixtures("faked")
def test_the_dashboard_reads_the_study(sweep_file, tmp_path):
    dashboard = pytest.importorskip("optuna_dashboard", reason="NOT TESTED: pip install optuna-dashboard")
    study = sweep(read_sweep(sweep_file(trials=2)), tmp_path)
    app = dashboard.wsgi(optuna.storages.RDBStorage(f"sqlite:///{tmp_path / 's.sqlite'}"))

    def get(path):
        environment = {"PATH_INFO": path, "HTTP_HOST": "here"}
        setup_testing_defaults(environment)
        heads = []
        body = b"".join(app(environment, lambda status, *_: heads.append(status)))
        assert heads == ["200 OK"]
        return json.loads(body)

    [listed] = get("/api/studies")["study_summaries"]
    assert listed["study_name"] == study.study_name
    shown = get(f"/api/studies/{listed['study_id']}")["trials"]
    assert [trial["state"] for trial in shown] == ["Complete", "Complete"]


@pytest.mark.usefixtures("faked")
def test_a_trial_that_ended_before_it_had_chosen_is_in_the_table(sweep_file, tmp_path):
    searched = read_sweep(sweep_file(trials=2))
    study = sweep(searched, tmp_path)
    study.tell(study.ask(), state=TrialState.FAIL)
    write_trials(searched, study, tmp_path / "trials.csv")
    *_, last = csv.DictReader((tmp_path / "trials.csv").open())
    assert (last["trial"], last["state"], last["failed"], last["chains.n"]) == ("2", "fail", "its worker died", "")


def test_no_finished_trial_has_no_best_experiment(sweep_file, tmp_path):
    with pytest.raises(InputError, match="none of 0 trials came to its end"):
        write_best(read_sweep(sweep_file()), optuna.create_study(), tmp_path / "best.yaml")


@pytest.mark.slow
def test_the_command_searches_with_real_training_and_goes_on(sweep_file, tmp_path, monkeypatch):
    monkeypatch.setenv("R2REC_CACHE", str(tmp_path / "cache"))
    file = sweep_file(trials=2, fixed={"baselines": [], "stages.grpo": None}, search={"stages.sft.lr": "tune"})
    first = CliRunner().invoke(app, ["sweep", str(file), "--out", str(tmp_path / "out"), "-q"])
    assert first.exit_code == 0, first.output
    assert "Best of 2 trials" in first.stdout
    best = load(tmp_path / "out" / "find" / "best.yaml", Experiment).value
    assert f"stages.sft.lr: {best.stages[0].settings.lr}\n" in first.stdout
    assert [stage.use for stage in best.stages] == ["sft", "grpo"]  # what was fixed for the search is not the answer
    longer = CliRunner().invoke(app, ["sweep", str(file), "--trials", "3", "--out", str(tmp_path / "out"), "-q"])
    assert longer.exit_code == 0, longer.output
    rows = (tmp_path / "out" / "find" / "trials.csv").read_text().splitlines()[1:]
    assert [row.split(",")[1] for row in rows] == ["complete"] * 3
