"""What is worth searching of a configuration: the ranges that `Tune` annotations give, found by path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, Union, cast, get_args, get_origin

from r2rec_bench.core.config import Config, Spec, Tune

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

Settings: TypeAlias = dict[str, Any]
DIGITS = 3
"""Significant digits of a setting that is searched: what is tried is what is written down."""


@dataclass(frozen=True, slots=True)
class Knob:
    """A setting with a range.

    Attributes:
        name: of the setting; its path where it stands in an experiment.
        tune: its range.
        whole: whether it is an integer.
        optional: whether it may also be none, which is then one of the things to try.
    """

    name: str
    tune: Tune
    whole: bool = False
    optional: bool = False

    def suggest(self, trial: BaseTrial) -> float | None:
        """A value, by Optuna."""
        low, high, log = self.tune.low, self.tune.high, self.tune.log
        if self.optional and not trial.suggest_categorical(self.given, [True, False]):
            return None
        if self.whole:
            return trial.suggest_int(self.name, int(low), int(high), log=log)
        return float(f"{trial.suggest_float(self.name, low, high, log=log):.{DIGITS}g}")

    @property
    def ends(self) -> tuple[float | None, ...]:
        """The lowest and the highest value, and none where that is one to try."""
        bounds = (self.tune.low, self.tune.high)
        return (*(map(int, bounds) if self.whole else bounds), *([None] if self.optional else []))

    def parameters(self, value: float | None) -> Settings:
        """What `suggest` would have to be told by Optuna to return `value`."""
        given = {self.given: value is not None} if self.optional else {}
        return given if value is None else {**given, self.name: value}

    @property
    def given(self) -> str:
        """What Optuna calls the choice between a value and none, where it is one."""
        return f"{self.name} given"


def knobs(config: type[Config], prefix: str = "") -> list[Knob]:
    """The settings of `config` that have a `Tune`, in their order, under their names after `prefix`."""
    found: list[Knob] = []
    for name, field in config.model_fields.items():
        parts = [*_parts(field.annotation), *field.metadata]
        for tune in (part for part in parts if isinstance(part, Tune)):
            found.append(Knob(prefix + name, tune, whole=int in parts, optional=NoneType in parts))
    return found


def knobs_below(root: Config, path: str) -> list[Knob]:
    """The settings worth searching at or below `path` of a configuration, by their whole paths; none where none is.

    Args:
        root: e.g. an experiment.
        path: of a setting, or of a component, as a change would name it: `stages.grpo.lr`, `chains`.
    """
    *above, last = path.split(".")
    owner = _at(root, above)
    if isinstance(owner, Config):
        prefix = f"{'.'.join(above)}." if above else ""
        found = [knob for knob in knobs(type(owner), prefix) if knob.name == path]
        if found:
            return found
    component = _at(root, [*above, last])
    return knobs(type(component), f"{path}.") if isinstance(component, Config) else []


def is_whole(root: Config, path: str) -> bool:
    """Whether the setting at `path` is an integer; false where there is no setting."""
    *above, last = path.split(".")
    owner = _at(root, above)
    field = type(owner).model_fields.get(last) if isinstance(owner, Config) else None
    parts = [*_parts(field.annotation), *field.metadata] if field else []
    return int in parts and float not in parts


def _at(value: object, path: Sequence[str]) -> object:
    """What stands at `path`, a component's settings for the component; none where nothing does."""
    for segment in path:
        if isinstance(value, tuple):
            elements = cast("tuple[object, ...]", value)
            by_use = {spec.use: spec for spec in elements if isinstance(spec, Spec)}
            value = (
                elements[int(segment)] if segment.isdecimal() and int(segment) < len(elements) else by_use.get(segment)
            )
        else:
            value = getattr(value.settings if isinstance(value, Spec) else value, segment, None)
    return value.settings if isinstance(value, Spec) else value


def _parts(annotation: object) -> Iterator[object]:
    """The types and the metadata in an annotation: `Annotated[int, Tune(1, 9)] | None` has int, the Tune and None."""
    if get_origin(annotation) in {Annotated, Union, UnionType}:
        for part in get_args(annotation):
            yield from _parts(part)
    else:
        yield annotation
