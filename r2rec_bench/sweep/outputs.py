"""What a study leaves behind: the best trial as an experiment, all trials as a table, and two plots."""

from __future__ import annotations

import csv
import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.loading import load
from r2rec_bench.experiment import Experiment
from r2rec_bench.sweep.definition import Searched
from r2rec_bench.sweep.places import counted
from r2rec_bench.sweep.study import FAILED

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial


def best_experiment(searched: Searched, study: Study) -> dict[str, Any]:
    """The experiment with the best trial's values, every setting explicit; fold and all that was fixed as in the base.

    Raises:
        InputError: no trial came to its end.
    """
    if not study.best_trials:
        raise InputError(f"study {study.study_name}: none of {len(study.trials)} trials came to its end")
    values = searched_values(searched, study.best_trial)
    overrides = [f"{path}={json.dumps(value)}" for path, value in values.items()]
    best = load(searched.base, Experiment, overrides).value.model_dump(mode="json")
    return {**best, "name": f"{searched.sweep.name}-best", "question": searched.sweep.question}


def searched_values(searched: Searched, trial: FrozenTrial) -> dict[str, Any]:
    """What a stored trial tried, by path."""
    from optuna.trial import FixedTrial

    return searched.suggest(FixedTrial(trial.params))


def write_best(searched: Searched, study: Study, path: Path) -> None:
    """`best_experiment` as an ordinary experiment's file, with where it comes from."""
    text = yaml.safe_dump(best_experiment(searched, study), sort_keys=False, allow_unicode=True, width=120)
    trial = study.best_trial
    head = (
        f"# The best of {len(counted(study))} trials of study {study.study_name}: trial {trial.number}, validation\n"
        f"# {searched.sweep.objective} {trial.value:.4f}. Written by `r2rec sweep`.\n"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(head + text, encoding="utf-8")


def write_trials(searched: Searched, study: Study, path: Path) -> None:
    """All trials as CSV: number, state, value, seconds, the runs they made, and what they tried."""
    from optuna.trial import TrialState

    rows = [
        {
            "trial": trial.number,
            "state": trial.state.name.lower(),
            searched.sweep.objective: trial.value,
            "seconds": None if trial.duration is None else trial.duration.total_seconds(),
            **({FAILED: "its worker died"} if trial.state is TrialState.FAIL else {}),
            **trial.user_attrs,
            **_tried(searched, trial),
        }
        for trial in study.trials
    ]
    heads = dict.fromkeys(key for row in rows for key in row)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(heads), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _tried(searched: Searched, trial: FrozenTrial) -> dict[str, Any]:
    """What a trial tried; empty where it ended before it had chosen all."""
    try:
        return searched_values(searched, trial)
    except ValueError:
        return {}


def write_plots(study: Study, folder: Path) -> list[str]:
    """Optimisation history and parameter importances as SVG; what could not be drawn, and why."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt
    from optuna.exceptions import ExperimentalWarning
    from optuna.visualization import matplotlib as plots

    missed: list[str] = []
    for name, draw in (("history", plots.plot_optimization_history), ("importance", plots.plot_param_importances)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)  # so Optuna calls its plots since its version 2
                draw(study)
        except (RuntimeError, ValueError) as error:  # importances need several trials that differ
            missed.append(f"{name}: {error}")
            continue
        plt.tight_layout()
        plt.savefig(folder / f"{name}.svg", metadata={"Date": None})
        plt.close("all")
    return missed
