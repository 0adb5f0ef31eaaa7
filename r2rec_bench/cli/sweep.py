"""`r2rec sweep`: search an experiment's settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from r2rec_bench.cli.console import safe, stderr, stdout

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


def sweep(
    file: Annotated[Path, typer.Argument(help="A sweep: what to search in which experiment.")],
    trials: Annotated[int | None, typer.Option(min=1, help="In all, in place of the file's.")] = None,
    storage: Annotated[
        str | None, typer.Option(help="SQLAlchemy address of the study, e.g. postgresql://...; SQLite in the cache.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the best experiment, the trials and the plots.")] = Path(
        "reports"
    ),
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Warnings only.")] = False,
) -> None:
    """Search settings on the validation fold; the same command goes on where it was stopped."""
    from dataclasses import replace

    from r2rec_bench.cli.progress import watching
    from r2rec_bench.cli.studies import artifact_store
    from r2rec_bench.core.paths import cache_root
    from r2rec_bench.sweep.definition import read_sweep
    from r2rec_bench.sweep.outputs import searched_values, write_best, write_plots, write_trials
    from r2rec_bench.sweep.study import run_sweep

    searched = read_sweep(file)
    if trials is not None:
        searched = replace(searched, sweep=searched.sweep.model_copy(update={"trials": trials}))
    if storage is None:
        folder = cache_root() / "sweeps"
        folder.mkdir(parents=True, exist_ok=True)
        storage = f"sqlite:///{folder / searched.sweep.name}.sqlite"

    def told(trial: FrozenTrial) -> None:
        value = "" if trial.value is None else f" {searched.sweep.objective} {trial.value:.4f}"
        stderr().print(f"trial {trial.number}: {trial.state.name.lower()}{value}", markup=False)

    with watching(quiet=quiet) as watcher:
        study = run_sweep(searched, storage, artifact_store(), watcher, told)
    folder = out / searched.sweep.name
    write_best(searched, study, folder / "best.yaml")
    write_trials(searched, study, folder / "trials.csv")
    for missed in write_plots(study, folder):
        stderr().print(f"not drawn: {missed}", style="yellow", markup=False)
    console = stdout()
    best = study.best_trial
    console.print(f"Best of {len(study.trials)} trials: {best.number}, {searched.sweep.objective} {best.value:.4f}")
    for name, value in searched_values(searched, best).items():
        console.print(f"  {safe(name)}: {value}", soft_wrap=True)
    console.print(f"Written: {folder}. Run it on the test fold: r2rec run {folder / 'best.yaml'}", soft_wrap=True)
    console.print(f"Study {study.study_name} in {storage}", markup=False, soft_wrap=True)
