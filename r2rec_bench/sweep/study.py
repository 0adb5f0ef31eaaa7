"""Working on a study until it has its trials, alone or beside others."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from r2rec_bench.core.errors import ConfigError, InputError, R2RecError, unknown
from r2rec_bench.core.fingerprint import digest
from r2rec_bench.core.loading import load
from r2rec_bench.core.seeds import derive
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.core.watch import Watcher
from r2rec_bench.data.datasets import Datasets
from r2rec_bench.experiment import Experiment
from r2rec_bench.pipeline import Pipeline
from r2rec_bench.sweep.definition import Searched, Sweep
from r2rec_bench.sweep.places import after_death, after_failure, again, drawn_as, has_place, places
from r2rec_bench.sweep.storage import opened
from r2rec_bench.sweep.workers import Worker

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from optuna.trial import BaseTrial, FrozenTrial

FULL_TRIALS = 5
"""Trials that are never pruned, so that there is something to compare with."""
HOPELESS = 8
"""So many failures one after the other end the sweep: it is not the settings."""
FAILED = "failed"
"""Attribute of a trial: why it ended without a value."""
NOT_NEEDED = "not needed: another worker had begun the last trial"


class _FailedTrialError(Exception):
    """A trial ended without a value; why stands in its attributes."""


def run_sweep(
    searched: Searched,
    storage: str,
    store: ArtifactStore,
    watcher: Watcher,
    told: Callable[[FrozenTrial], None],
    workers: Path,
) -> Study:
    """Go on with a sweep until it has its trials; one that failed, or whose worker died, is tried again.

    Args:
        searched: what to search.
        storage: an SQLAlchemy address: SQLite for one machine, PostgreSQL for many.
        store: artifacts; stages that no searched setting decides are made once.
        watcher: of the stages.
        told: of every trial that has ended here.
        workers: folder of the locks of those who work from this file system.

    Raises:
        InputError: the storage cannot be used, or the model is not measured by the objective.
        R2RecError: trials fail one after the other.
    """
    from optuna.exceptions import UpdateFinishedTrialError

    sweep, target = searched.sweep, searched.sweep.trials
    study = opened(study_name(searched), storage, sweep.direction, _pruner(sweep), after_death)
    datasets = Datasets(watcher)
    reasons: list[str] = []
    lost: list[int] = []

    def objective(trial: Trial) -> float:
        for name, value in worker.signature.items():
            trial.set_user_attr(name, value)
        if not has_place(trial, target):
            trial.set_user_attr(FAILED, NOT_NEEDED)
            raise _FailedTrialError
        # Seeded by the draw: a sweep that was interrupted tries what it would have tried, and no two workers alike.
        study.sampler = _sampler(sweep, drawn_as(study, trial))
        try:
            return value_of(searched, trial, store, watcher, datasets)
        except UpdateFinishedTrialError:  # this machine slept, or was cut off from the storage
            lost.append(trial.number)
            raise
        except KeyboardInterrupt:  # no fault of its settings: the next worker begins with it
            trial.set_user_attr(FAILED, "interrupted")
            again(study, trial)
            raise
        except (R2RecError, RuntimeError) as error:  # also what torch says when memory is short
            if isinstance(error, InputError) and not isinstance(error, ConfigError):
                raise  # every trial would fail alike
            trial.set_user_attr(FAILED, str(error))
            raise _FailedTrialError from error

    def after(study: Study, trial: FrozenTrial) -> None:
        from optuna.trial import TrialState

        if trial.user_attrs.get(FAILED) == NOT_NEEDED:
            return
        told(trial)
        if trial.state is not TrialState.FAIL:
            reasons.clear()
            return
        reasons.append(trial.user_attrs.get(FAILED, "ended by something else"))
        after_failure(study, trial)

    with Worker(workers) as worker:
        for _ in places(study, target, worker, watcher):
            try:
                study.optimize(objective, n_trials=1, callbacks=[after], catch=_FailedTrialError)
            except (UpdateFinishedTrialError, ValueError):  # Optuna's words for it
                if not lost:
                    raise
                watcher.warn(f"Another worker believed this one dead and has taken over trial {lost.pop()}.")
            if len(reasons) == HOPELESS:
                raise R2RecError(
                    f"study {study.study_name}: {HOPELESS} trials failed one after the other; the last: {reasons[-1]}"
                )
    return study


def _pruner(sweep: Sweep) -> BasePruner:
    from optuna.pruners import MedianPruner, NopPruner

    return MedianPruner(n_startup_trials=FULL_TRIALS) if sweep.pruner == "median" else NopPruner()


def _sampler(sweep: Sweep, draw: int) -> BaseSampler:
    from optuna.samplers import TPESampler

    return TPESampler(seed=derive(sweep.seed, "sweep", draw) % 2**32)


def study_name(searched: Searched) -> str:
    """The sweep's name and a digest of all that its trials have in common: other settings are another study."""
    told = searched.sweep.model_dump(mode="json", exclude={"trials", "question", "extends", "name"})
    return f"{searched.sweep.name}-{digest([told, searched.experiment.model_dump(mode='json')])[:12]}"


def value_of(searched: Searched, trial: BaseTrial, store: ArtifactStore, watcher: Watcher, datasets: Datasets) -> float:
    """The objective after the last stage; pruned after an earlier one that does worse than most did.

    Raises:
        ConfigError: the values do not go together.
        InputError: the model is not measured by the objective.
        R2RecError: a stage fails, or no user has a value.
    """
    import optuna

    sweep = searched.sweep
    experiment = load(searched.base, Experiment, searched.overrides(searched.suggest(trial))).value
    named = experiment.model_copy(update={"name": f"{sweep.name}-trial-{trial.number}"})
    value = math.nan
    for step, outcome in enumerate(Pipeline(named, store, watcher, datasets).stages()):
        users = outcome.result.users
        if sweep.objective not in users.metrics:
            raise unknown("objective", sweep.objective, users.metrics)
        value = outcome.result.mean(sweep.objective)
        if math.isnan(value):
            raise R2RecError(f"{sweep.objective} is nan after stage {step + 1}: no user has a value")
        trial.set_user_attr(f"run after stage {step + 1}", outcome.result.run_id)
        trial.report(value, step)
        if step + 1 < len(experiment.stages) and trial.should_prune():
            raise optuna.TrialPruned
    return value
