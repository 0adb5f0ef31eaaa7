"""Working on a study: trials until it has as many as it should, whoever else works on it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

from r2rec_bench.core.errors import ConfigError, InputError, R2RecError, nearest
from r2rec_bench.core.fingerprint import digest
from r2rec_bench.core.loading import load
from r2rec_bench.core.seeds import derive
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.core.watch import Watcher
from r2rec_bench.experiment import Experiment
from r2rec_bench.inputs import Datasets
from r2rec_bench.pipeline import Pipeline
from r2rec_bench.sweep.definition import Searched, Sweep

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial, TrialState

HEARTBEAT_SECONDS = 60
"""A worker that has not been heard of for twice as long is dead, and its trial is tried again."""
RETRIES = 1
FULL_TRIALS = 5
"""Trials that are never pruned, so that there is something to compare with."""
HOPELESS = 8
"""So many failures one after the other end the sweep: it is not the settings."""


class _FailedTrialError(Exception):
    """A trial ended without a value; why stands in its attributes."""


def run_sweep(
    searched: Searched, storage: str, store: ArtifactStore, watcher: Watcher, told: Callable[[FrozenTrial], None]
) -> Study:
    """Go on with a sweep until it has its trials; a failed one is recorded and tried once more.

    Args:
        searched: what to search.
        storage: an SQLAlchemy address: SQLite for one machine, PostgreSQL for many.
        store: artifacts; stages that no searched setting decides are made once.
        watcher: of the stages.
        told: of every trial that has ended.

    Raises:
        InputError: the model is not measured by the objective.
        R2RecError: trials fail one after the other.
    """
    study = _opened(searched, storage)
    datasets = Datasets(watcher)
    reasons: list[str] = []

    def objective(trial: Trial) -> float:
        try:
            experiment = load(searched.base, Experiment, searched.overrides(searched.suggest(trial))).value
            return _value(Pipeline(experiment, store, watcher, datasets), trial, searched.sweep)
        except (R2RecError, RuntimeError) as error:  # also what torch says when memory is short
            if isinstance(error, InputError) and not isinstance(error, ConfigError):
                raise  # every trial would fail alike
            trial.set_user_attr("failed", str(error))
            raise _FailedTrialError from error

    def after(study: Study, trial: FrozenTrial) -> None:
        from optuna.trial import TrialState

        told(trial)
        if trial.state is not TrialState.FAIL:
            reasons.clear()
            return
        reasons.append(trial.user_attrs.get("failed", "ended by something else"))
        retries = trial.user_attrs.get("retries", 0)
        if len(reasons) == HOPELESS:
            study.stop()
        elif retries < RETRIES:
            study.enqueue_trial(trial.params, {"retries": retries + 1})

    if _ended(study) < searched.sweep.trials:
        from optuna.study import MaxTrialsCallback

        enough = MaxTrialsCallback(searched.sweep.trials, states=_ends())
        study.optimize(objective, callbacks=[after, enough], catch=_FailedTrialError)
    if len(reasons) == HOPELESS:
        raise R2RecError(
            f"study {study.study_name}: {HOPELESS} trials failed one after the other; the last: {reasons[-1]}"
        )
    return study


def _opened(searched: Searched, storage: str) -> Study:
    import optuna
    from optuna.exceptions import ExperimentalWarning
    from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sweep = searched.sweep
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # so Optuna calls heartbeats since its version 2
        kept = RDBStorage(
            storage,
            heartbeat_interval=HEARTBEAT_SECONDS,
            heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(max_retry=RETRIES),
        )
    median = optuna.pruners.MedianPruner(n_startup_trials=FULL_TRIALS)
    study = optuna.create_study(
        study_name=study_name(searched),
        storage=kept,
        direction=sweep.direction,
        pruner=median if sweep.pruner == "median" else optuna.pruners.NopPruner(),
        load_if_exists=True,
    )
    # Another seed each time it is opened: one that goes on, or works beside others, must not draw the same again.
    study.sampler = optuna.samplers.TPESampler(seed=derive(sweep.seed, "sweep", len(study.trials)) % 2**32)
    return study


def _ends() -> tuple[TrialState, ...]:
    """States of a trial that counts towards the target."""
    from optuna.trial import TrialState

    return TrialState.COMPLETE, TrialState.PRUNED


def _ended(study: Study) -> int:
    return len(study.get_trials(deepcopy=False, states=_ends()))


def study_name(searched: Searched) -> str:
    """The sweep's name and a digest of all that its trials have in common: other settings are another study."""
    told = searched.sweep.model_dump(mode="json", exclude={"trials", "question", "extends", "name"})
    return f"{searched.sweep.name}-{digest([told, searched.experiment.model_dump(mode='json')])[:12]}"


def _value(pipeline: Pipeline, trial: Trial, sweep: Sweep) -> float:
    """The objective after the last stage; pruned after an earlier one that does worse than most did."""
    import optuna

    value = float("nan")
    for step, outcome in enumerate(pipeline.stages()):
        users = outcome.result.users
        if sweep.objective not in users.metrics:
            raise InputError(
                f"objective: no column '{sweep.objective}'; the experiment measures {', '.join(users.metrics)}. "
                f"Did you mean '{nearest(sweep.objective, users.metrics)}'?"
            )
        value = outcome.result.mean(sweep.objective)
        trial.set_user_attr(f"run after stage {step + 1}", outcome.result.run_id)
        trial.report(value, step)
        if step + 1 < len(pipeline.experiment.stages) and trial.should_prune():
            raise optuna.TrialPruned
    return value
