"""Tunes the baselines on a data set's validation fold, each with the same number of trials.

    OMP_NUM_THREADS=1 python baselines/tune.py movielens-100k --trials 12 --minutes 5

The result is added to `tuned.yaml` beside this file. A trial fits on the train fold and is judged on one list of 20
candidates for each of 1,000 users, the same for all: by NDCG@10, a predictor of ratings by MAE. The test fold is never
read. The first trial is the defaults. What was tried is kept in the cache: after an interruption the same command goes
on from there.
"""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml
from filelock import FileLock
from trials import SEED, Judge, LimitedJudge, Score, Task, TimeLimitError

from r2rec_bench.cli.data import dataset_named
from r2rec_bench.core.environment import capture
from r2rec_bench.core.errors import InputError, R2RecError
from r2rec_bench.core.fingerprint import code_digest, digest
from r2rec_bench.core.paths import cache_root
from r2rec_bench.core.search import knobs
from r2rec_bench.core.seeds import derive
from r2rec_bench.deciding import LIST_CODE, SCORING_CODE, rooms
from r2rec_bench.evaluation.base import Baseline, baselines

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

logger = logging.getLogger("tune")

TUNED = Path(__file__).with_name("tuned.yaml")
RANDOM_TRIALS = 4
"""After the defaults, so many trials are drawn at random before Optuna's TPE learns from what it has seen."""
SETTINGS, SCORE, CUT, SECONDS = "settings", "score", "cut", "seconds"

HEADER = """# What tuning found: data set, baseline, settings. Written by baselines/tune.py, never edited.
# Validation fold under leave-last-out, fitted on train alone; 1,000 users, 1 positive + 19 uniform negatives; the best
# of the trials by NDCG@10, of a rating predictor's by MAE (`by`). Every baseline had the same number of trials, the
# first of them its defaults; a trial that failed, or was cut at its limit (`limit_minutes`), counts. Where there are
# `budget_minutes`, none was begun once those before it had taken so long. Minutes and `seconds`, those of all trials
# together, are of processors' time; in older entries, of wall time.
"""


def searched(study: Study, name: str, n_trials: int, judge: Judge, budget_minutes: float | None = None) -> None:
    """Go on with `study` until it has `n_trials` trials of the baseline `name`, whatever became of them.

    Args:
        study: what was tried before.
        name: of the baseline.
        n_trials: how many it shall have tried.
        judge: tries settings.
        budget_minutes: of processors' time; no trial is begun once those before it have taken so much.

    Raises:
        InputError: the baseline cannot be used here even with its defaults.
    """
    from optuna.samplers import TPESampler
    from optuna.trial import TrialState

    config = baselines.get(name).config_type()
    ranges, defaults = knobs(config), config().model_dump()
    for begun in study.get_trials(states=(TrialState.RUNNING,)):  # by a process that was ended
        study.tell(begun.number, state=TrialState.FAIL)
    for number in range(len(counted(study)), n_trials):
        if budget_minutes is not None and _used(study) >= 60 * budget_minutes:
            logger.info("%s: %g CPU minutes are used up after %d of %d trials", name, budget_minutes, number, n_trials)
            return
        # Seeded by its number, so that a search that was interrupted tries what it would have tried.
        seed = derive(SEED, "tune", name, number) % 2**32
        study.sampler = TPESampler(seed=seed, n_startup_trials=RANDOM_TRIALS + 1)
        if number == 0:
            study.enqueue_trial({key: value for k in ranges for key, value in k.parameters(defaults[k.name]).items()})
        trial = study.ask()
        settings = {**defaults, **{knob.name: knob.suggest(trial) for knob in ranges}}
        start = time.process_time()
        try:
            score = judge(name, settings)
            trial.set_user_attr(SCORE, asdict(score))
            state, said = TrialState.COMPLETE, str(score)
        except TimeLimitError as error:
            score, state, said = None, TrialState.PRUNED, str(error)
            trial.set_user_attr(CUT, said)
        except Exception as error:  # whatever a stranger's baseline raises is a failed trial, and is said
            if number == 0 and isinstance(error, InputError):
                raise
            score, state, said = None, TrialState.FAIL, f"failed: {type(error).__name__}: {error}"
        trial.set_user_attr(SECONDS, time.process_time() - start)
        trial.set_user_attr(SETTINGS, settings)
        study.tell(trial, score and score.objective, state)
        logger.info("%s %d/%d: %s; %s", name, number + 1, n_trials, said, settings)


def counted(study: Study) -> list[FrozenTrial]:
    """The trials that count, in order: those that came to an end of their own or were cut."""
    return [trial for trial in study.trials if SETTINGS in trial.user_attrs]


def _used(study: Study) -> float:
    """Seconds of processors' time that all trials took: as each tells, or of one that was cut, until then."""
    told = (trial.user_attrs for trial in counted(study))
    return sum(attributes[SCORE]["seconds"] if SCORE in attributes else attributes[SECONDS] for attributes in told)


def entry(study: Study, limit_minutes: float, budget_minutes: float | None = None) -> dict[str, Any] | None:
    """What `tuned.yaml` says of a search; none when no trial gave a score."""
    trials = counted(study)
    scored = [trial for trial in trials if SCORE in trial.user_attrs]
    if not scored:
        return None
    scores = {trial.number: Score(**trial.user_attrs[SCORE]) for trial in scored}
    best = max(scored, key=lambda trial: scores[trial.number].objective)
    first = scores.get(trials[0].number)
    n_cut = sum(CUT in trial.user_attrs for trial in trials)
    installed = capture().packages
    libraries = {name: installed[name] for name in ("numpy", "scipy", "implicit", "torch") if name in installed}
    return {
        "settings": best.user_attrs[SETTINGS],
        "by": scores[best.number].by,
        "validation": scores[best.number].shown(),
        "defaults": first.shown() if first else None,
        "trials": {"scored": len(scored), "cut": n_cut, "failed": len(trials) - len(scored) - n_cut},
        "limit_minutes": limit_minutes,
        **({} if budget_minutes is None else {"budget_minutes": budget_minutes}),
        "seconds": round(_used(study), 1),
        "versions": {"python": platform.python_version(), **libraries, "optuna": version("optuna")},
    }


def merge(path: Path, data: str, name: str, found: Mapping[str, Any]) -> None:
    """Put what was found for a data set and a baseline into the file, beside what else it holds."""
    with FileLock(_kept("tuned.lock")):
        stored: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text("utf-8")) if path.exists() else {}
        stored.setdefault(data, {})[name] = dict(found)
        ordered = {key: dict(sorted(stored[key].items())) for key in sorted(stored)}
        text = HEADER + yaml.safe_dump(ordered, sort_keys=False, default_flow_style=None, width=120)
        beside = path.with_name(f".{path.name}.tmp")
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)


def _kept(name: str) -> Path:
    """A file of the cache's folder for tuning."""
    folder = cache_root() / "tuning"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


@contextmanager
def study_of(name: str, task: Task, limit_minutes: float) -> Generator[Study]:
    """The search kept in the cache, under all that decides what its trials give; new if there is none."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    cls = baselines.get(name)
    package = cls.__module__.partition(".")[0]
    code = code_digest((package, Task.__module__, *rooms("core.search"), *LIST_CODE, *SCORING_CODE))
    told = digest([name, repr(knobs(cls.config_type())), task.candidates.digest, limit_minutes, code])
    # One writer at a time; the file belongs to this search alone.
    with FileLock(_kept(f"{name}-{told[:16]}.lock")):
        storage = optuna.storages.RDBStorage(f"sqlite:///{_kept(f'{name}-{told[:16]}.sqlite')}")
        yield optuna.create_study(study_name=name, storage=storage, direction="maximize", load_if_exists=True)


def tunable() -> list[str]:
    """The baselines that are fitted and have a setting worth searching."""
    return [name for name, cls in baselines if issubclass(cls, Baseline) and knobs(cls.config_type())]


def main(
    data: Annotated[str, typer.Argument(help="A data source, e.g. movielens-1m.")],
    baseline: Annotated[list[str] | None, typer.Option(help="One to tune; all when none is named.")] = None,
    trials: Annotated[int, typer.Option(min=1, help="For each baseline.")] = 12,
    minutes: Annotated[float, typer.Option(min=0, help="Processors' time after which a trial is cut.")] = 10.0,
    budget: Annotated[
        float | None, typer.Option(min=0, help="Minutes of processors' time after which no trial is begun.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The file to add to.")] = TUNED,
) -> None:
    """Tune baselines on the validation fold of DATA, each with the same number of trials."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logger.setLevel(logging.INFO)
    try:
        tune(data, baseline, trials, minutes, budget, out)
    except R2RecError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.exit_code) from None


def tune(
    data: str, chosen: list[str] | None, n_trials: int, limit_minutes: float, budget_minutes: float | None, out: Path
) -> None:
    """Tune the baselines `chosen`, all when none is, on the data set `data`, into the file `out`.

    Raises:
        InputError: no such data set or baseline, or one that has nothing to tune.
    """
    names = tunable()
    for name in chosen or []:
        baselines.get(name)
        if name not in names:
            raise InputError(f"'{name}' has nothing to tune; what has: {', '.join(names)}")
    task = Task.of(dataset_named(data).log)
    judge = LimitedJudge(task, limit_minutes)
    for name in chosen or names:
        with study_of(name, task, limit_minutes) as study:
            try:
                searched(study, name, n_trials, judge, budget_minutes)
            except InputError as error:
                logger.warning("%s is left out: %s", name, error)
                continue
            found = entry(study, limit_minutes, budget_minutes)
        if found is None:
            logger.warning("%s is left out: none of its trials gave a score", name)
        else:
            merge(out, data, name, found)


if __name__ == "__main__":
    typer.run(main)
