"""`r2rec sweep`: search an experiment's settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from r2rec_bench.cli.console import safe, stderr, stdout
from r2rec_bench.cli.progress import TRACK, Tracker

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

    from r2rec_bench.sweep.definition import Searched


def sweep(
    file: Annotated[Path, typer.Argument(help="A sweep: what to search in which experiment.")],
    values: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATH=VALUE]...", help="Run one trial with these values, outside of any study: a W&B agent's."
        ),
    ] = None,
    trials: Annotated[int | None, typer.Option(min=1, help="In all, in place of the file's.")] = None,
    storage: Annotated[
        str | None, typer.Option(help="SQLAlchemy address of the study, e.g. postgresql://...; SQLite in the cache.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the best experiment, the trials and the plots.")] = Path(
        "reports"
    ),
    track: TRACK = None,
    export_wandb: Annotated[
        Path | None, typer.Option(help="Write the search space as a sweep of Weights & Biases, and do nothing else.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Warnings only.")] = False,
) -> None:
    """Search settings on the validation fold; the same command goes on where it was stopped.

    Started several times, on one machine or with --storage on many, it works on one study side by side. Watch it in
    a browser: pip install optuna-dashboard; optuna-dashboard STORAGE, with the address that is printed at the end.
    """
    from dataclasses import replace

    from r2rec_bench.sweep.definition import read_sweep
    from r2rec_bench.sweep.export import write_wandb

    searched = read_sweep(file)
    if trials is not None:
        searched = replace(searched, sweep=searched.sweep.model_copy(update={"trials": trials}))
    if export_wandb is not None:
        write_wandb(searched, file, export_wandb)
        stdout().print(f"Written: {export_wandb}. Next: wandb sweep {export_wandb}", markup=False, soft_wrap=True)
    elif values:
        _one(searched, values, track, quiet=quiet)
    else:
        _all(searched, storage, out, track, quiet=quiet)


def _one(searched: Searched, values: list[str], track: Tracker | None, *, quiet: bool) -> None:
    from optuna.trial import FixedTrial

    from r2rec_bench.cli.progress import following
    from r2rec_bench.cli.studies import artifact_store
    from r2rec_bench.data.datasets import Datasets
    from r2rec_bench.sweep.export import parameters
    from r2rec_bench.sweep.study import value_of

    trial = FixedTrial(parameters(searched, values))
    with following("sweep", quiet=quiet, track=track, group=searched.sweep.name, jobs="trial") as watcher:
        value = value_of(searched, trial, artifact_store(), watcher, Datasets(watcher))
    stdout().print(f"{searched.sweep.objective} {value:.4f}")


def _all(searched: Searched, storage: str | None, out: Path, track: Tracker | None, *, quiet: bool) -> None:
    from optuna.trial import TrialState

    from r2rec_bench.cli.progress import following
    from r2rec_bench.cli.studies import artifact_store
    from r2rec_bench.core.paths import cache_root
    from r2rec_bench.sweep.study import run_sweep

    kept = cache_root() / "sweeps"
    kept.mkdir(parents=True, exist_ok=True)
    storage = storage or f"sqlite:///{kept / searched.sweep.name}.sqlite"
    with following("sweep", quiet=quiet, track=track, group=searched.sweep.name, jobs="trial") as watcher:

        def told(trial: FrozenTrial) -> None:
            value = "" if trial.value is None else f" {searched.sweep.objective} {trial.value:.4f}"
            stderr().print(f"trial {trial.number}: {trial.state.name.lower()}{value}", markup=False)
            if watcher.tracker:
                watcher.tracker.close(failed=trial.state is TrialState.FAIL)

        study = run_sweep(searched, storage, artifact_store(), watcher, told, kept / "workers")
    _write_and_show(searched, study, storage, out / searched.sweep.name)


def _write_and_show(searched: Searched, study: Study, storage: str, folder: Path) -> None:
    from r2rec_bench.sweep.outputs import searched_values, write_best, write_plots, write_trials
    from r2rec_bench.sweep.places import counted
    from r2rec_bench.sweep.storage import shown

    write_best(searched, study, folder / "best.yaml")
    write_trials(searched, study, folder / "trials.csv")
    for missed in write_plots(study, folder):
        stderr().print(f"not drawn: {missed}", style="yellow", markup=False)
    console = stdout()
    best = study.best_trial
    console.print(f"Best of {len(counted(study))} trials: {best.number}, {searched.sweep.objective} {best.value:.4f}")
    for name, value in searched_values(searched, best).items():
        console.print(f"  {safe(name)}: {value}", soft_wrap=True)
    console.print(f"Written: {folder}. Run it on the test fold: r2rec run {folder / 'best.yaml'}", soft_wrap=True)
    console.print(f"Study {study.study_name} in {shown(storage)}", markup=False, soft_wrap=True)
