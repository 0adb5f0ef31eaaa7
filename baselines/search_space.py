"""What is worth searching of a component's settings: the ranges that their `Tune` annotations give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, Union, get_args, get_origin

from r2rec_bench.core.config import Config, Tune

if TYPE_CHECKING:
    from optuna.trial import Trial

Settings: TypeAlias = dict[str, Any]
DIGITS = 3
"""Significant digits of a setting that is searched: what is tried is what is written down."""


@dataclass(frozen=True, slots=True)
class Knob:
    """A setting with a range.

    Attributes:
        name: of the setting.
        tune: its range.
        whole: whether it is an integer.
        optional: whether it may also be none, which is then one of the things to try.
    """

    name: str
    tune: Tune
    whole: bool
    optional: bool

    def suggest(self, trial: Trial) -> float | None:
        """A value, by Optuna."""
        low, high, log = self.tune.low, self.tune.high, self.tune.log
        if self.optional and not trial.suggest_categorical(self._given, [True, False]):
            return None
        if self.whole:
            return trial.suggest_int(self.name, int(low), int(high), log=log)
        return float(f"{trial.suggest_float(self.name, low, high, log=log):.{DIGITS}g}")

    def parameters(self, value: float | None) -> Settings:
        """What `suggest` would have to be told by Optuna to return `value`."""
        given = {self._given: value is not None} if self.optional else {}
        return given if value is None else {**given, self.name: value}

    @property
    def _given(self) -> str:
        return f"{self.name} given"


def knobs(config: type[Config]) -> list[Knob]:
    """The settings of `config` that have a `Tune`, in their order."""
    found: list[Knob] = []
    for name, field in config.model_fields.items():
        parts = [*_parts(field.annotation), *field.metadata]
        for tune in (part for part in parts if isinstance(part, Tune)):
            found.append(Knob(name, tune, whole=int in parts, optional=NoneType in parts))
    return found


def _parts(annotation: object) -> Iterator[object]:
    """The types and the metadata in an annotation: `Annotated[int, Tune(1, 9)] | None` has int, the Tune and None."""
    if get_origin(annotation) in {Annotated, Union, UnionType}:
        for part in get_args(annotation):
            yield from _parts(part)
    else:
        yield annotation
