"""Runs in Weights & Biases: offline unless the environment says otherwise, and never in the way of the work.

`WANDB_MODE`, `WANDB_PROJECT`, `WANDB_DIR` and the like are W&B's own. What was logged offline is uploaded by
`wandb sync <folder>/offline-run-*`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from r2rec_bench.core.errors import InputError

if TYPE_CHECKING:
    from wandb import Run

Jobs: TypeAlias = Literal["stage", "trial"]
PROJECT = "r2rec-bench"
START_SECONDS = 30.0
"""So long may W&B take to begin a run."""
FINISH_SECONDS = 60.0
"""So long may it take to end one."""
_COMPONENTS = ("backbone", "chains", "prompts", "stages")
_LONGEST_TAG = 64


class WandbTracker:
    """A `Watcher` that logs to W&B. The first failure is said, and the run goes on untracked.

    Args:
        warn: told of a failure.
        root: W&B's folder is made in it, unless the environment names another.
        group: of all W&B runs; the experiment's name where empty.
        jobs: what a W&B run is: each stage that is trained and each row of a table, or a whole experiment, as in a
            sweep each trial.

    Raises:
        InputError: wandb is not installed.
    """

    def __init__(self, warn: Callable[[str], None], root: Path, *, group: str = "", jobs: Jobs = "stage") -> None:
        if find_spec("wandb") is None:
            raise InputError("--track wandb: wandb is not installed; pip install 'r2rec-bench[wandb]'")
        self._root = Path(os.environ.get("WANDB_DIR") or root)
        self._warn = warn
        self._group = group
        self._jobs = jobs
        self._experiment = ""
        self._settings: Mapping[str, Any] = {}
        self._stage = ""
        self._run: Run | None = None
        self._failed = False

    @property
    def folder(self) -> Path:
        """Where W&B keeps its runs."""
        return self._root / "wandb"

    def open(self, experiment: str, settings: Mapping[str, Any]) -> None:
        if settings is not self._settings:
            self.close()
            self._experiment, self._settings = experiment, settings

    def begin(self, stage: str) -> None:
        self._stage = stage

    def progress(self, done: int, total: int, figures: Mapping[str, float]) -> None:
        if figures:
            self._safely(self._log_step, done, figures)

    def end(self, stage: str, seconds: float, *, cached: bool) -> None:
        if self._run is not None and not cached:
            self._safely(self._run.summary.update, {f"{metric_name(stage)}/seconds": seconds})
        if self._jobs == "stage":
            self.close()

    def result(self, system: str, run_id: str, figures: Mapping[str, float]) -> None:
        self._safely(self._log_result, system, run_id, figures)
        if self._jobs == "stage":
            self.close()

    def warn(self, text: str) -> None: ...

    def close(self, *, failed: bool = False) -> None:
        """What is tracked as one is over."""
        if self._run is not None:
            self._safely(self._finish, self._run, 1 if failed else 0)
            self._run = None

    def _log_step(self, done: int, figures: Mapping[str, float]) -> None:
        stage = metric_name(self._stage)
        run = self._started(self._stage, self._stage)
        # Each stage counts its own steps.
        run.define_metric(f"{stage}/*", step_metric=f"{stage}/step")
        run.log({f"{stage}/{metric_name(name)}": value for name, value in figures.items()} | {f"{stage}/step": done})

    def _log_result(self, system: str, run_id: str, figures: Mapping[str, float]) -> None:
        run = self._started("evaluation", system)
        run.log({metric_name(name): value for name, value in figures.items()})
        run.summary.update({"system": system, "run_id": run_id})

    def _started(self, job: str, name: str) -> Run:
        if self._run is None:
            # At the interpreter's exit W&B's telemetry waits for a server that hangs.
            os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
            import wandb

            whole = self._jobs == "trial"
            self._root.mkdir(parents=True, exist_ok=True)
            self._run = wandb.init(
                project=os.environ.get("WANDB_PROJECT", PROJECT),
                dir=self._root,
                group=self._group or self._experiment,
                job_type="trial" if whole else job,
                id=os.environ.get("WANDB_RUN_ID") if _agent() else None,  # W&B reads it once in a process's life
                name=None if _agent() else self._experiment if whole else f"{self._experiment}: {name}",
                tags=tuple(dict.fromkeys(_tags(self._settings))),
                config=dict(self._settings),
                mode=_mode(),
                settings=wandb.Settings(
                    silent=True,
                    console="off",
                    init_timeout=START_SECONDS,
                    finish_timeout=FINISH_SECONDS,  # respected at the interpreter's exit too
                    finish_timeout_raises=True,
                ),
            )
        return self._run

    def _finish(self, run: Run, exit_code: int) -> None:
        """Ends a W&B run, in a thread of its own: one that hangs is left behind."""
        failures: list[Exception] = []

        def finish() -> None:
            try:
                run.finish(exit_code=exit_code)
            except Exception as error:  # raised where somebody hears it
                failures.append(error)

        thread = Thread(target=finish, daemon=True)
        thread.start()
        thread.join(FINISH_SECONDS)
        if thread.is_alive():
            raise TimeoutError(f"ending a run took more than {FINISH_SECONDS:g} s")
        if failures:
            raise failures[0]

    def _safely(self, do: Callable[..., object], *arguments: object) -> None:
        if self._failed:
            return
        try:
            do(*arguments)
        except Exception as error:  # whatever W&B raises concerns no result
            self._failed = True
            self._warn(f"W&B: {type(error).__name__}: {error}. The run goes on untracked.")
            if isinstance(error, ConnectionError):
                _let_go()


def _let_go() -> None:
    """W&B's own process is no more: what would look for it at the interpreter's exit, with a traceback, does so now."""
    import wandb

    with suppress(ConnectionError):
        wandb.teardown()


def metric_name(name: str) -> str:
    """`name` as W&B can sort, filter and search by it: ndcg@10 is ndcg_at_10; a slash makes a section."""
    return re.sub(r"[^A-Za-z0-9_/]", "_", name.replace("@", "_at_"))


def _agent() -> bool:
    """Whether a W&B agent has started this process, and with it the W&B run."""
    return bool(os.environ.get("WANDB_SWEEP_ID"))


def _mode() -> Literal["online", "offline", "disabled", "shared"] | None:
    """As the environment says; where a W&B agent asks, W&B's choice."""
    said = os.environ.get("WANDB_MODE") or (None if _agent() else "offline")
    return cast("Literal['online', 'offline', 'disabled', 'shared'] | None", said)


def _tags(settings: Mapping[str, Any]) -> Iterator[str]:
    """The names of the components that people look for."""
    for key in _COMPONENTS:
        chosen = settings.get(key, ())
        for component in [chosen] if isinstance(chosen, Mapping) else chosen:
            yield str(component["use"])[:_LONGEST_TAG]
