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
"""How often values are tried again that have failed."""
DEATHS = 30
"""How often values are tried again whose worker died: of machines that are taken back, no fault of theirs."""
_RETRIED, _DIED = "retries", "deaths"
_RETRY_OF, _DRAWN = "retry of trial", "drawn as"


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
    after_death(study, trial)


def after_failure(study: Study, trial: FrozenTrial) -> None:
    """Has the values of a failed trial tried again, unless that has been done often enough."""
    again(study, trial, failures=1)


def after_death(study: Study, trial: FrozenTrial) -> None:
    """Has the values of a trial tried again whose worker died, unless that has been done often enough."""
    again(study, trial, deaths=1)


def again(study: Study, trial: Trial | FrozenTrial, *, failures: int = 0, deaths: int = 0) -> None:
    """Has a trial's values tried again, those first that it had no time to draw; it ended by so much more."""
    known = trial.user_attrs
    failures, deaths = known.get(_RETRIED, 0) + failures, known.get(_DIED, 0) + deaths
    if failures <= RETRIES and deaths <= DEATHS:
        counts = {name: count for name, count in {_RETRIED: failures, _DIED: deaths}.items() if count}
        study.enqueue_trial(trial.params, {**counts, _RETRY_OF: trial.number, _DRAWN: drawn_as(study, trial)})


def drawn_as(study: Study, trial: Trial | FrozenTrial) -> int:
    """The how many-th draw of values a trial is, from 0: what is tried again is no draw of its own.

    So a search whose workers died draws what it would have drawn.
    """
    if _DRAWN in trial.user_attrs:
        return trial.user_attrs[_DRAWN]
    before = (other for other in study.get_trials(deepcopy=False) if other.number < trial.number)
    return sum(_RETRY_OF not in other.user_attrs for other in before)


def _running(study: Study) -> list[FrozenTrial]:
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))


def counted(study: Study) -> list[FrozenTrial]:
    """All trials but the failed, by number."""
    from optuna.trial import TrialState

    trials = study.get_trials(deepcopy=False)
    return sorted((t for t in trials if t.state is not TrialState.FAIL), key=lambda trial: trial.number)
