"""Several workers on one study, and workers that are killed: as many trials as asked for, one at most done again."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import optuna
import pytest
from optuna.trial import TrialState
from typer.testing import CliRunner

from r2rec_bench.cli.app import app
from r2rec_bench.core.errors import InputError
from r2rec_bench.core.watch import Silent
from r2rec_bench.sweep import places
from r2rec_bench.sweep import study as under_test
from r2rec_bench.sweep.definition import read_sweep
from r2rec_bench.sweep.storage import shown
from r2rec_bench.sweep.workers import Worker

WORKER = """
import sys
from types import SimpleNamespace
from r2rec_bench.cli.app import app
from r2rec_bench.sweep import outputs, places, study

class Obedient:
    def __init__(self, experiment, store, watcher, datasets):
        self.experiment = experiment

    def stages(self):
        print("BEGIN", flush=True)
        assert sys.stdin.readline() == "go\\n"
        lr = self.experiment.stages[0].settings.lr
        users = SimpleNamespace(metrics={"ndcg@10": None})
        yield SimpleNamespace(result=SimpleNamespace(users=users, run_id="0" * 16, mean=lambda _: lr))

study.Pipeline = Obedient
places.POLL_SECONDS = 0.05
outputs.write_plots = lambda study, folder: []
app(sys.argv[1:])
"""
"""The command itself; its trials begin with a word and wait for one."""


@pytest.fixture
def start(tmp_path):
    """Starts `r2rec sweep` as a process, on a cache of its own for each `place`."""
    begun = []

    def start(file, *arguments, place="here"):
        places = {**os.environ, "R2REC_CACHE": str(tmp_path / place)}
        command = [sys.executable, "-c", WORKER, "sweep", file, "--out", tmp_path / place / "out", *arguments]
        worker = subprocess.Popen(
            [str(part) for part in command], env=places, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        begun.append(worker)
        return worker

    yield start
    for worker in begun:
        worker.kill()
        worker.communicate()


def at_work(worker):
    """Waits until the worker has begun a trial; false where it has come to its end instead."""
    if any(line == "BEGIN\n" for line in worker.stdout):
        return True
    _, said = worker.communicate()
    assert worker.returncode == 0, said
    return False


def go(worker):
    worker.stdin.write("go\n")
    worker.stdin.flush()


def serve(worker):
    """Lets a worker that is at work go on to its end; how many trials it has done."""
    done = 0
    while True:
        go(worker)
        done += 1
        if not at_work(worker):
            return done


def kill(worker):
    """The worst at a defined point: in the middle of a trial."""
    worker.kill()
    worker.communicate()
    assert worker.returncode == -signal.SIGKILL


def finished(study):
    return [trial for trial in study.trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]


def study_in(address, file):
    study = optuna.load_study(study_name=under_test.study_name(read_sweep(file)), storage=address)
    assert TrialState.RUNNING not in {trial.state for trial in study.trials}
    return study


def driven(address):
    return address.replace("postgresql://", "postgresql+psycopg://")


@pytest.mark.slow
def test_two_workers_on_postgresql_make_exactly_the_trials_asked_for(sweep_file, start, postgres):
    """Both begin a trial at once, on a database without tables, so that they compete for the last place of three."""
    file = sweep_file(trials=3, pruner="none", name="together")
    both = [start(file, "--storage", postgres, place=place) for place in ("here", "there")]
    assert all(map(at_work, both))
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(serve, both))
    study = study_in(driven(postgres), file)
    assert len(finished(study)) == sum(done) == 3
    assert min(done) >= 1
    assert len({tuple(trial.params.values()) for trial in finished(study)}) == 3
    assert len({trial.user_attrs["worker"] for trial in finished(study)}) == 2
    assert {t.user_attrs["failed"] for t in study.trials if t.state is TrialState.FAIL} <= {under_test.NOT_NEEDED}


@pytest.mark.slow
@pytest.mark.usefixtures("faked")
def test_the_trial_of_a_worker_killed_elsewhere_is_tried_again_when_its_heart_has_stopped(
    sweep_file, start, postgres, tmp_path
):
    import psycopg

    file = sweep_file(trials=2, name="apart")
    elsewhere = start(file, "--storage", postgres, place="elsewhere")
    assert at_work(elsewhere)
    kill(elsewhere)
    study = optuna.load_study(study_name=under_test.study_name(read_sweep(file)), storage=driven(postgres))
    [lost] = study.trials
    assert lost.state is TrialState.RUNNING
    with psycopg.connect(postgres) as connection:  # an hour later
        trial = {"trial": lost._trial_id}
        connection.execute("DELETE FROM trial_heartbeats WHERE trial_id = %(trial)s", trial)
        connection.execute("INSERT INTO trial_heartbeats VALUES (0, %(trial)s, now() - interval '1 hour')", trial)
    under_test.run_sweep(read_sweep(file), postgres, None, Silent(), lambda trial: None, tmp_path / "here")
    study = study_in(driven(postgres), file)
    assert [trial.state for trial in study.trials if trial.number == 0] == [TrialState.FAIL]
    assert len(finished(study)) == 2
    [again] = [trial for trial in study.trials if trial.user_attrs.get("retry of trial") == 0]
    assert again.state is TrialState.COMPLETE
    assert again.params == lost.params


@pytest.mark.slow
@pytest.mark.usefixtures("faked")
def test_a_sweep_killed_in_its_second_trial_goes_on_at_once_and_loses_that_trial_alone(
    sweep_file, start, tmp_path, monkeypatch
):
    """The same command again, in this process: it does not wait for a heart to stop."""
    file = sweep_file(trials=3, search={"stages.sft.lr": {"low": 1e-4, "high": 4e-3}})
    killed = start(file)
    assert at_work(killed)
    go(killed)
    assert at_work(killed)
    kill(killed)
    monkeypatch.setenv("R2REC_CACHE", str(tmp_path / "here"))
    again = CliRunner().invoke(app, ["sweep", str(file), "--out", str(tmp_path / "out"), "-q"])
    assert again.exit_code == 0, again.output
    study = study_in(f"sqlite:///{tmp_path / 'here' / 'sweeps' / 'find.sqlite'}", file)
    states = {trial.number: trial.state for trial in study.trials}
    assert states == {0: TrialState.COMPLETE, 1: TrialState.FAIL, 2: TrialState.COMPLETE, 3: TrialState.COMPLETE}
    assert study.trials[2].params == study.trials[1].params
    rows = (tmp_path / "out" / "find" / "trials.csv").read_text().splitlines()
    assert "its worker died" in rows[2]
    assert "Best of 3 trials" in again.stdout
    assert not list((tmp_path / "here" / "sweeps" / "workers").glob("*.lock"))


@pytest.fixture
def mine(sweep_file, tmp_path):
    """A sweep of so many trials, run in this process."""

    def run(trials, told=lambda trial: None):
        searched = read_sweep(sweep_file(trials=trials, pruner="none", search={"stages.sft.lr": [1e-3, 2e-3]}))
        address = f"sqlite:///{tmp_path / 's.sqlite'}"
        return under_test.run_sweep(searched, address, None, Silent(), told, tmp_path / "workers")

    return run


class Death(BaseException):
    """What no handler of the sweep hears of."""


@pytest.mark.usefixtures("faked")
def test_deaths_at_any_moment_and_however_many_change_nothing_of_what_is_tried(sweep_file, tmp_path, monkeypatch):
    searched = read_sweep(sweep_file(trials=4, pruner="none", search={"stages.sft.lr": {"low": 1e-4, "high": 4e-3}}))

    def swept(name, work):
        monkeypatch.setattr(under_test, "value_of", work)
        place = tmp_path / name
        return under_test.run_sweep(searched, f"sqlite:///{place}.sqlite", None, Silent(), lambda _: None, place)

    begun = iter(range(100))

    def mortal(searched, trial, *rest):
        number = next(begun)
        if number in {0, 3, 4}:
            raise Death  # before it has drawn
        value = lived(searched, trial, *rest)
        if number in {1, 6}:
            raise Death  # when all was done
        return value

    lived, left = under_test.value_of, Worker.__exit__

    def dead(worker, kind, *rest):
        left(worker, kind, *rest)
        if kind is Death:  # the system frees the lock of a process that dies, and its file stays
            worker._path.touch()

    whole = swept("whole", lived)
    monkeypatch.setattr(Worker, "__exit__", dead)
    (tmp_path / "killed").mkdir()
    killed = None
    while killed is None:
        with suppress(Death):
            killed = swept("killed", mortal)
    assert len(killed.trials) == 4 + 5
    assert [t.params for t in finished(killed)] == [t.params for t in finished(whole)]
    assert [t.value for t in finished(killed)] == [t.value for t in finished(whole)]


@pytest.mark.usefixtures("faked")
def test_who_begins_a_trial_too_many_leaves_it(mine, monkeypatch):
    """Another worker takes the last place between our look and our beginning, and finishes while we wait."""
    others = []

    def late(trial, target):
        if not others:
            others.append(trial.study.ask())  # the number after ours ...
            trial.study.tell(others[0], 0.5)
            return False  # ... as it is told to the one who came second
        return placed(trial, target)

    placed = places.has_place
    monkeypatch.setattr(under_test, "has_place", late)
    told = []
    study = mine(2, told.append)
    assert len(finished(study)) == 2
    surplus = study.trials[0]
    assert (surplus.state, surplus.user_attrs["failed"]) == (TrialState.FAIL, under_test.NOT_NEEDED)
    assert 0 not in {trial.number for trial in told}
    assert not any("retries" in trial.user_attrs for trial in study.trials)


def test_the_first_by_number_that_have_not_failed_have_a_place():
    study = optuna.create_study()
    first, second, third = study.ask(), study.ask(), study.ask()
    assert [places.has_place(trial, 2) for trial in (first, second, third)] == [True, True, False]
    study.tell(first, state=TrialState.FAIL)
    assert places.has_place(third, 2)
    study.tell(second, 1.0)
    assert not places.has_place(third, 1)
    study.enqueue_trial({})  # after them all
    assert places.has_place(third, 2)


@pytest.mark.usefixtures("faked")
def test_a_trial_that_was_never_signed_is_given_up_after_the_same_time(mine, monkeypatch, tmp_path):
    study = mine(1)
    study.ask()  # by a worker that dies before it can sign
    clock = iter(range(0, 10_000, 50))
    monkeypatch.setattr(places.time, "monotonic", lambda: next(clock))
    looks = []
    monkeypatch.setattr(places.time, "sleep", looks.append)
    study = mine(2)
    assert [trial.state for trial in study.trials][:2] == [TrialState.COMPLETE, TrialState.FAIL]
    assert len(finished(study)) == 2
    assert len(looks) == 1 + 150 // 50


@pytest.mark.usefixtures("faked")
def test_an_interrupted_trial_is_the_next_to_be_tried(mine, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(under_test, "Pipeline", interrupted)
        with pytest.raises(KeyboardInterrupt):
            mine(2)
    study = mine(2)
    assert [trial.state for trial in study.trials] == [TrialState.FAIL, TrialState.COMPLETE, TrialState.COMPLETE]
    assert study.trials[0].user_attrs["failed"] == "interrupted"
    assert study.trials[1].params == study.trials[0].params


@pytest.mark.usefixtures("faked")
def test_a_trial_that_another_worker_has_taken_over_is_left_to_it(mine, monkeypatch):
    """As after a night in which this machine slept."""
    slept = []

    def asleep(searched, trial, *others):
        if not slept:
            slept.append(trial.number)
            trial.study.tell(trial.number, 0.25)
        return value_of(searched, trial, *others)

    value_of = under_test.value_of
    monkeypatch.setattr(under_test, "value_of", asleep)
    study = mine(2)
    assert len(finished(study)) == 2
    assert study.trials[0].value == 0.25


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("postgresql://me:secret@localhost:1/none", r"storage postgresql://me:\*\*\*@localhost:1/none: .*refused"),
        ("nonsense", "storage nonsense: .*Expected an address like sqlite:///"),
        ("oracle+nothing://x", "storage oracle\\+nothing://x: "),
    ],
)
def test_a_storage_that_cannot_be_used_is_named_without_its_password(sweep_file, tmp_path, address, message):
    searched = read_sweep(sweep_file())
    with pytest.raises(InputError, match=message) as refused:
        under_test.run_sweep(searched, address, None, Silent(), lambda trial: None, tmp_path)
    assert "secret" not in str(refused.value)
    assert shown("sqlite:///a:b@c") == "sqlite:///a:b@c"
