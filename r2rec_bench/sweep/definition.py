"""Searching an experiment's settings with Optuna: on the validation fold, resumable, pruned between stages.

    extends: ../experiments/quickstart.yaml
    name: sweep-grpo
    question: Which learning rate and KL weight does GRPO want?
    trials: 20
    search:
      stages.grpo: tune                          # every setting of it that has a range worth searching, but for
      stages.grpo.lr: {low: 1.0e-6, high: 1.0e-4, log: true}  # one that is narrowed here, or is fixed
      chains.n: {low: 2, high: 16}
      chains.use: [closed_uniform, recent]
    fixed: {stages.grpo.group: 8, candidates.users: 300, baselines: []}

Several processes may work on one study: start the command several times with the same storage.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from r2rec_bench.core.config import Config, Tune
from r2rec_bench.core.errors import ConfigError, InputError, Problem
from r2rec_bench.core.loading import as_stated, load
from r2rec_bench.core.search import Knob, is_whole, knobs_below
from r2rec_bench.core.yamlfile import read_yaml
from r2rec_bench.experiment import Experiment
from r2rec_bench.report.comparisons import ERRORS

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

_FOLD = "candidates.fold"
Choice = str | int | float | bool | None


class Range(Config):
    """Numbers to search between, whole ones where the setting is an integer."""

    low: float
    high: float
    log: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low >= self.high or (self.log and self.low <= 0):
            raise ValueError(f"expected low < high, and low > 0 where log; got {self.low:g} to {self.high:g}")
        return self


class Sweep(Config):
    """What a sweep's file holds."""

    extends: str
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
    question: Annotated[str, Field(min_length=1)]
    search: Annotated[
        dict[str, Literal["tune"] | Range | Annotated[list[Choice], Field(min_length=1)]], Field(min_length=1)
    ]
    """By path: `tune` for the component's own ranges, a range, or values to choose among. The longest path counts."""
    fixed: Annotated[dict[str, Any], Field(default_factory=dict)]
    """Other changes to the experiment, by path; the same in every trial."""
    objective: str = "ndcg@10"
    """Mean over users of this column, of the model after its last stage, on the validation fold."""
    direction: Literal["maximize", "minimize"] = "maximize"
    trials: Annotated[int, Field(ge=1)] = 20
    """In all; a sweep that is started again goes on until it has so many."""
    seed: Annotated[int, Field(ge=0)] = 0
    pruner: Literal["median", "none"] = "median"
    """`median` ends a trial whose model is worse after a stage than the median of the trials before it."""

    @model_validator(mode="after")
    def _better(self) -> Self:
        if self.objective in ERRORS and self.direction == "maximize":
            raise ValueError(f"of '{self.objective}' less is better; set direction to minimize")
        return self


@dataclass(frozen=True, slots=True)
class Searched:
    """A sweep read from its file.

    Attributes:
        sweep: its settings.
        base: the experiment's file.
        experiment: what stands in it.
        knobs: numbers to search.
        choices: values to choose among, by path.
    """

    sweep: Sweep
    base: Path
    experiment: Experiment
    knobs: tuple[Knob, ...]
    choices: Mapping[str, tuple[Choice, ...]]

    def overrides(self, values: Mapping[str, Any]) -> list[str]:
        """The changes that make the experiment a trial's: on the validation fold, with what is fixed."""
        changes = {_FOLD: "validation", **self.sweep.fixed, **values}
        return [f"{path}={json.dumps(value)}" for path, value in changes.items()]

    def suggest(self, trial: BaseTrial) -> dict[str, Any]:
        """What a trial tries."""
        chosen = {path: trial.suggest_categorical(path, values) for path, values in self.choices.items()}
        return {**chosen, **{knob.name: knob.suggest(trial) for knob in self.knobs}}


def read_sweep(path: Path) -> Searched:
    """The sweep in `path`.

    Raises:
        ConfigError: a key is wrong, a path leads nowhere or has no range of its own, or the experiment is not valid.
        InputError: a file is not there.
    """
    sweep = as_stated(read_yaml(path), Sweep).value
    base = path.parent / sweep.extends
    experiment = load(base, Experiment).value
    problems = [
        Problem(f"{part}.{_FOLD}", "trials are judged on the validation fold alone; leave it out")
        for part, paths in (("search", sweep.search), ("fixed", sweep.fixed))
        if _FOLD in paths
    ]
    found: list[Knob] = []
    choices: dict[str, tuple[Choice, ...]] = {}
    for where, wanted in sweep.search.items():
        if where in sweep.fixed:
            problems.append(Problem(f"search.{where}", "it is fixed as well; leave one of the two out"))
        elif isinstance(wanted, list):
            choices[where] = tuple(wanted)
        elif isinstance(wanted, Range):
            knob = Knob(where, Tune(wanted.low, wanted.high, wanted.log), whole=is_whole(experiment, where))
            found.append(knob)
            if knob.whole and not (wanted.low.is_integer() and wanted.high.is_integer()):
                said = f"{wanted.low:g} to {wanted.high:g}"
                problems.append(Problem(f"search.{where}", f"an integer; expected whole numbers, got {said}"))
        else:
            below = knobs_below(experiment, where)
            narrower = [path for path in (*sweep.search, *sweep.fixed) if path.startswith(f"{where}.")]
            found += [knob for knob in below if not any(f"{knob.name}.".startswith(f"{path}.") for path in narrower)]
            problems += [] if below else [Problem(f"search.{where}", "no setting with a range worth searching there")]
    if problems:
        raise ConfigError(str(path), problems)
    searched = Searched(sweep, base, experiment, tuple(found), choices)
    _check(searched, path)
    return searched


def _check(searched: Searched, path: Path) -> None:
    """Whether every path is one of the experiment's, and each value may be, is known before the first trial."""
    tried = {**searched.choices, **{knob.name: knob.ends for knob in searched.knobs}}
    first = {name: values[0] for name, values in tried.items()}
    try:
        stages = load(searched.base, Experiment, searched.overrides(first)).value.stages
    except ConfigError as error:  # whose places are those of `--set`, by which trials are made
        wrong = [replace(one, where=one.where.replace("--set", "search or fixed", 1)) for one in error.problems]
        raise ConfigError(str(path), wrong) from None
    if not stages:
        raise InputError(f"{path}: {searched.base} trains no model, so there is nothing to search; give it a stage")
    problems: list[Problem] = []
    for name, values in tried.items():
        for value in values[1:]:
            try:
                load(searched.base, Experiment, searched.overrides({**first, name: value}))
            except ConfigError as error:
                problems += [
                    Problem(f"search.{name}", f"{value}: {one.message}", one.nearest) for one in error.problems
                ]
    if problems:
        raise ConfigError(str(path), problems)
