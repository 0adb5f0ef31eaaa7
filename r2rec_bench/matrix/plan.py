"""The cells of a matrix: the base experiment with another component in one part or two.

What a component is set to, when it takes the place of another: the settings that the base states there and that the
component has as well, so that the same number of chains, or the same budget, holds in every cell. A setting that the
component refuses is left to its own default, and so are all of them where only their combination is refused. In a list
of components settings are those of the list's own component of that name, if it has one. What was left is told with
the result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from r2rec_bench.core.config import Spec, validate
from r2rec_bench.core.errors import ConfigError, InputError
from r2rec_bench.core.registry import registry
from r2rec_bench.experiment import Experiment
from r2rec_bench.matrix.parts import Axis, Choice, Part

MOST_AXES = 2


@dataclass(frozen=True, slots=True)
class Fit:
    """A component in its place.

    Attributes:
        part: the place.
        label: its row or column.
        written: name and settings, all explicit, as in YAML.
        left: settings that the base states and this component did not take: what the base has, and why it was left.
    """

    part: Part
    label: str
    written: Mapping[str, Any]
    left: Mapping[str, tuple[object, str]]


@dataclass(frozen=True, slots=True)
class Cell:
    """One experiment of the matrix.

    Attributes:
        labels: its row, and its column if there are two axes.
        fits: the components that it has instead of the base's; empty where one could not be set.
        experiment: none where the parts do not go together.
        problem: why not.
    """

    labels: tuple[str, ...]
    fits: tuple[Fit, ...]
    experiment: Experiment | None
    problem: str = ""

    @property
    def title(self) -> str:
        """Row and column."""
        return " × ".join(self.labels)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be run: every combination, row by row."""

    base: Experiment
    axes: tuple[Axis, ...]
    cells: tuple[Cell, ...]

    @property
    def name(self) -> str:
        """Of the report's folder."""
        return "-".join(["matrix", self.base.name, *(axis.part.family for axis in self.axes)])


def planned(base: Experiment, axes: Sequence[Axis]) -> Plan:
    """The matrix of `base` along `axes`.

    Raises:
        InputError: none or too many axes, or a family twice.
        ConfigError: a component that was named cannot be set as it was asked for.
    """
    families = [axis.part.family for axis in axes]
    if not 1 <= len(axes) <= MOST_AXES or len(set(families)) < len(families):
        got = ", ".join(families) or "none"
        raise InputError(f"--vary: expected one family, or two different ones; got {got}")
    fits = [[_attempted(axis.part, choice, base) for choice in axis.choices] for axis in axes]
    cells = [_cell(base, combination) for combination in product(*fits)]
    return Plan(base, tuple(axes), tuple(cells))


def fitted(part: Part, choice: Choice, base: Experiment) -> Fit:
    """A component with as many of the base's settings as it takes.

    Raises:
        ConfigError: it cannot be set even with its own defaults, or not as it was asked for.
    """
    config = registry(part.family).get(choice.use).config_type()
    stated = _stated(part, choice.use, base)
    left: dict[str, tuple[object, str]] = {
        key: (value, "it has no such setting") for key, value in stated.items() if key not in config.model_fields
    }
    taken = {key: value for key, value in stated.items() if key in config.model_fields and key not in choice.given}
    source = f"{part.path}: {choice.label}"
    while True:
        try:
            settings = validate(config, {**taken, **choice.given}, source)
        except ConfigError as error:
            if not taken:
                raise
            refused = {problem.where.partition(".")[0]: problem.message for problem in error.problems}
            reasons = {key: refused[key] for key in taken if key in refused}
            # A rule about several settings names none of them: then none is taken.
            left |= {key: (taken[key], reason) for key, reason in (reasons or _all(taken, error)).items()}
            taken = {key: value for key, value in taken.items() if key not in left}
        else:
            return Fit(part, choice.label, Spec(part.family, choice.use, settings).to_dict(), left)


def _all(taken: Mapping[str, object], error: ConfigError) -> dict[str, str]:
    return dict.fromkeys(taken, "; ".join(problem.message for problem in error.problems))


def _stated(part: Part, use: str, base: Experiment) -> dict[str, Any]:
    """The settings that the base states in this part; defaults of its own component are no wish of anybody's."""
    there = [spec for spec in part.of(base) if not part.many or spec.use == use]
    if not there:
        return {}
    spec, written = there[0], there[0].to_dict()
    same = spec.use == use
    return {
        key: value for key, value in written.items() if key in spec.settings.model_fields_set or (same and key != "use")
    }


def _attempted(part: Part, choice: Choice, base: Experiment) -> Fit | tuple[str, str]:
    """The fit, or label and problem of a component that nobody named and that cannot do without settings."""
    try:
        return fitted(part, choice, base)
    except ConfigError as error:
        if choice.named:
            raise
        return choice.label, str(error)


def _cell(base: Experiment, combination: Sequence[Fit | tuple[str, str]]) -> Cell:
    labels = tuple(fit.label if isinstance(fit, Fit) else fit[0] for fit in combination)
    fits = tuple(fit for fit in combination if isinstance(fit, Fit))
    problems = [fit[1] for fit in combination if not isinstance(fit, Fit)]
    if problems:
        return Cell(labels, (), None, "\n".join(problems))
    try:
        return Cell(labels, fits, _experiment(base, fits, " × ".join(labels)))
    except ConfigError as error:
        return Cell(labels, fits, None, str(error))


def _experiment(base: Experiment, fits: Sequence[Fit], title: str) -> Experiment:
    """The base with other parts, and with the one row that a cell shows: its last stage, or the baseline tried."""
    families = {fit.part.family for fit in fits}
    written = base.model_dump(mode="json") | {"baselines": []}
    if "baselines" in families:
        written["stages"] = []
    for fit in fits:
        fit.part.put(written, fit.written)
    written["untrained"] = not written["stages"] and not written["baselines"]
    return validate(Experiment, written, title)
