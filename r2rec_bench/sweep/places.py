"""Which trials are to be worked on: as many as the target, whoever works on them and whoever dies.

Trials are counted in the order of their numbers, which the storage gives out one at a time. A trial has a place if
fewer than the target come before it that have not failed: they are finished, at work, or waiting to be tried again. So
workers that begin a trial at the same moment agree on who goes on, and there are exactly as many in the end.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import TYPE_CHECKING

from r2rec_bench.core.watch import Watcher
from r2rec_bench.sweep.storage import HEARTBEAT_SECONDS, calm
from r2rec_bench.sweep.workers import Worker, is_signed

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

POLL_SECONDS = 1.0
"""Between two looks at what others have done, where there is nothing left to begin."""
RETRIES = 1
RETRIED = "retries"
"""Attribute of a trial: how often its values had been tried before."""


def has_place(trial: Trial, target: int) -> bool:
    """Whether a trial that has just begun is among the first `target`."""
    return sum(other.number < trial.number for other in counted(trial.study)) < target


def places(study: Study, target: int, worker: Worker, watcher: Watcher) -> Generator[None]:
    """Yields as long as there is a trial to begin; waits for those of others, and takes over from the dead."""
    from optuna.storages import fail_stale_trials
    from optuna.trial import TrialState

    unsigned: dict[int, float] = {}
    waiting = False
    while True:
        _take_over(study, worker)
        chosen = counted(study)[:target]
        states = {trial.state for trial in chosen}
        if len(chosen) < target or TrialState.WAITING in states:
            yield
            continue
        running = [trial for trial in chosen if trial.state is TrialState.RUNNING]
        if not running:
            return
        if not waiting:
            watcher.begin("waiting for the trials of other workers")
            waiting = True
        with calm():
            fail_stale_trials(study)
        # A worker that died between beginning a trial and signing it has left no other sign of its death.
        now = time.monotonic()
        unsigned = {t.number: unsigned.get(t.number, now) for t in running if not is_signed(t.user_attrs)}
        for trial in running:
            if now - unsigned.get(trial.number, now) > 2 * HEARTBEAT_SECONDS:
                _give_up(study, trial)
        time.sleep(POLL_SECONDS)


def _take_over(study: Study, worker: Worker) -> None:
    """Has the trials tried again whose worker is known to be dead."""
    for trial in _running(study):
        with worker.outlived(trial.user_attrs) as dead:
            # Another worker may have done so since the trials were read.
            if dead and trial.number in {still.number for still in _running(study)}:
                _give_up(study, trial)


def _give_up(study: Study, trial: FrozenTrial) -> None:
    from optuna.trial import TrialState

    study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)
    retry(study, trial)


def retry(study: Study, trial: FrozenTrial) -> None:
    """Has a failed trial tried again, with the same values, unless that has been done often enough."""
    retries = trial.user_attrs.get(RETRIED, 0)
    if retries < RETRIES:
        study.enqueue_trial(trial.params, {RETRIED: retries + 1, "retry of trial": trial.number})


def _running(study: Study) -> list[FrozenTrial]:
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))


def counted(study: Study) -> list[FrozenTrial]:
    """All trials but the failed, by number."""
    from optuna.trial import TrialState

    trials = study.get_trials(deepcopy=False)
    return sorted((t for t in trials if t.state is not TrialState.FAIL), key=lambda trial: trial.number)
