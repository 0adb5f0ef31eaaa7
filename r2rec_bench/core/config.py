"""Strict settings: frozen models, extra keys forbidden, every problem of a file reported at once.

A component is written `name`, `name:argument` or `{use: name, setting: value}` and becomes a `Spec`; its settings
are validated by the component's own `Config`, and whatever is wrong inside is reported under its full key path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_args

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema

from r2rec_bench.core.errors import ConfigError, InputError, Problem, nearest

if TYPE_CHECKING:
    from r2rec_bench.core.registry import Component


class Config(BaseModel):
    """Base of all settings: frozen, typed, and closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True)


@dataclass(frozen=True, slots=True)
class Tune:
    """The range worth searching for a setting, beside its validity: `Annotated[int, Field(ge=1), Tune(2, 8)]`."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True, slots=True)
class Spec:
    """A chosen component: its family, its name, its validated settings."""

    family: str
    use: str
    settings: Config

    def build(self) -> Component:
        """The component, ready for use."""
        from r2rec_bench.core.registry import registry

        return registry(self.family).get(self.use)(self.settings)

    def to_dict(self) -> dict[str, Any]:
        """As in YAML, every setting explicit."""
        return {"use": self.use, **self.settings.model_dump(mode="json")}


def components(value: object) -> Iterator[Spec]:
    """All components in `value`, those in the settings of others included, as rewards are in a stage's."""
    if isinstance(value, Spec):
        yield value
        yield from components(value.settings)
    elif isinstance(value, Config):
        yield from components(tuple(getattr(value, name) for name in type(value).model_fields))
    elif isinstance(value, tuple):
        for part in cast("tuple[object, ...]", value):
            yield from components(part)


def _parse_spec(value: object, *, family: str) -> Spec:
    from r2rec_bench.core.registry import registry

    if isinstance(value, Spec) and value.family == family:
        return value
    colon = argument = ""
    if isinstance(value, str):
        use, colon, argument = value.partition(":")
        given: dict[str, Any] = {}
    elif isinstance(value, Mapping):
        given = dict(cast("Mapping[str, Any]", value))
        use = given.pop("use", None)
        if not isinstance(use, str):
            raise refused(_no_use(use, given))
    else:
        raise refused(Problem("", f"expected a name or a mapping with `use`; got {value!r}"))
    try:
        cls = registry(family).get(use)
    except InputError as error:
        raise refused(Problem("", str(error))) from None
    config = cls.config_type()
    if colon:
        first = next(iter(config.model_fields), None)
        if first is None:
            raise refused(Problem("", f"'{use}' has no settings, so it takes no argument; got '{argument}'"))
        given = {first: argument}
    try:
        return Spec(family, use, config.model_validate(given))
    except ValidationError as error:
        raise refused(*problems_of(error, config)) from None


def refused(*problems: Problem) -> PydanticCustomError:
    """What a validator raises to have exactly `problems` told, below the key that it validates.

    Unlike ValueError it does not repeat the value, which may be long or a secret.
    """
    return PydanticCustomError("component", "", {"problems": problems})


def _no_use(use: object, given: Mapping[str, Any]) -> Problem:
    if use is not None:
        return Problem("use", f"expected the name of a component; got {use!r}")
    key = nearest("use", given)
    return Problem("", "a component needs the key `use`" + (f"; got '{key}'" if key else ""))


@dataclass(frozen=True, slots=True)
class Family:
    """Marks a field that holds a component: `chains: Annotated[Spec, Family("chains")]`."""

    name: str

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            partial(_parse_spec, family=self.name),
            serialization=core_schema.plain_serializer_function_ser_schema(Spec.to_dict),
        )


def problems_of(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """pydantic's errors as placed problems with the nearest valid key, components' inner ones included."""
    return [problem for detail in error.errors() for problem in _problems(detail, model)]


def _problems(detail: ErrorDetails, model: type[BaseModel]) -> Iterator[Problem]:
    where = ".".join(str(part) for part in detail["loc"])
    context = detail.get("ctx", {})
    if detail["type"] == "component":
        for inner in cast("tuple[Problem, ...]", context["problems"]):
            yield Problem(".".join(filter(None, [where, inner.where])), inner.message, inner.nearest)
    elif detail["type"] == "extra_forbidden":
        allowed = _fields_at(model, detail["loc"][:-1])
        key = str(detail["loc"][-1])
        listing = ", ".join(sorted(allowed)) or "none"
        yield Problem(where, f"unknown key '{key}'; allowed: {listing}", nearest(key, allowed))
    elif detail["type"] == "missing":
        yield Problem(where, "required, but missing")
    elif detail["type"] in {"literal_error", "enum"}:
        allowed = re.findall(r"'([^']*)'", context["expected"])
        yield Problem(where, f"{detail['msg']}; got {detail['input']!r}", nearest(str(detail["input"]), allowed))
    else:
        message = detail["msg"].removeprefix("Value error, ")
        yield Problem(where, f"{message}; got {detail['input']!r}" if where else message)


def _fields_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    for part in loc:
        field = model.model_fields.get(str(part))
        if field is not None:
            model = next(_models_in(field.annotation), model)
    return list(model.model_fields)


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


M = TypeVar("M", bound=BaseModel)


def validate(model: type[M], values: Mapping[str, Any], source: str) -> M:
    """`values` as a `model`.

    Raises:
        ConfigError: with every problem found, under its key path; `source` names the file.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ConfigError(source, problems_of(error, model)) from None
