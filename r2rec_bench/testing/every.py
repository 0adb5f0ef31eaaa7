"""What holds of every component, whatever its family: it says what it is, and its settings are sound."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any, TypeVar, get_args

import yaml
from pydantic import ValidationError, create_model
from pydantic.fields import FieldInfo

from r2rec_bench.core.comments import docstrings
from r2rec_bench.core.config import Config, Tune
from r2rec_bench.core.registry import Component
from r2rec_bench.testing.comparing import require_same
from r2rec_bench.testing.contract import Contract, require

C = TypeVar("C", bound=Component)

SELF_EVIDENT = {
    "attention", "dtype", "epochs", "factors", "items", "iterations", "layers", "lr", "revision", "seed", "temperature",
    "trust_remote_code", "users", "weight_decay",
}  # fmt: skip
"""Settings that a reader of papers knows by their names."""

_SENTENCES = re.compile(r"(?<!e\.g)(?<!i\.e)(?<!cf)(?<!vs)[.!?] [A-Z]")


def contract(family: str, base: type[C], *, sourced: bool = True, spares_randomness: bool = True) -> Contract[C]:
    """The contract of a family with the rules that all families have.

    Args:
        family: its name.
        base: what its components derive from.
        sourced: whether a component must say where its method is from.
        spares_randomness: see `Contract`.
    """
    made = Contract(family, base, spares_randomness=spares_randomness)
    for rule in (is_described, settings_are_closed, settings_are_explained, settings_survive_yaml, tuning_is_valid):
        made.rule(rule)
    if sourced:
        made.rule(names_its_source)
    return made


def is_described(component: Component) -> None:
    """The docstring begins with one sentence, which `r2rec list` shows."""
    own = type(component).__doc__ or ""
    summary = " ".join(inspect.cleandoc(own).split("\n\n")[0].split())
    require(summary, "no docstring", "one sentence that says what the component does")
    require(summary.endswith("."), f"'{summary}'", "a sentence that ends with a full stop")
    require(not _SENTENCES.search(summary), f"'{summary}'", "one sentence, then an empty line, then the rest")


def names_its_source(component: Component) -> None:
    """The docstring has a line 'Source: ...': paper and section, or 'this project'."""
    doc = inspect.getdoc(type(component)) or ""
    require(re.search(r"^Source: \S", doc, re.MULTILINE), "no such line", "'Source: <paper, section>' in the docstring")


def settings_are_closed(component: Component) -> None:
    """Settings are a frozen `Config` that forbids unknown keys."""
    config = type(component).config_type()
    require(isinstance(component.config, config), f"settings of type {type(component.config)}", config.__name__)
    kept = [config.model_config.get(name) for name in ("extra", "frozen")]
    require(kept == ["forbid", True], f"extra={kept[0]!r}, frozen={kept[1]}", "extra='forbid', frozen=True")


def settings_are_explained(component: Component) -> None:
    """Each setting is told in a string below it, which `r2rec show` prints, unless its name is a term of the field."""
    config = type(component).config_type()
    told = {*_explained(config), *SELF_EVIDENT}
    silent = [name for name in config.model_fields if name not in told]
    require(not silent, f"nothing about {', '.join(silent)}", f"a docstring below each setting of {config.__name__}")


def settings_survive_yaml(component: Component) -> None:
    """Settings written as YAML and read again are the same settings."""
    config = component.config
    text = yaml.safe_dump(config.model_dump(mode="json"))
    again = type(config).model_validate(yaml.safe_load(text))
    require_same(again.model_dump(mode="json"), config.model_dump(mode="json"), "written and read", "the same settings")
    require(again == config, f"{again!r}", f"{config!r}")


def tuning_is_valid(component: Component) -> None:
    """Each `Tune` range is ascending, above 0 where it is logarithmic, and both of its ends are valid settings."""
    for name, field in type(component).config_type().model_fields.items():
        for tune in _tunes(field):
            require(tune.low < tune.high, f"{name}: {tune}", "low below high")
            require(tune.low > 0 or not tune.log, f"{name}: {tune}", "a range above 0 where log=True")
            for end in (tune.low, tune.high):
                problem = _problem(name, field, end)
                require(not problem, f"{name}: {tune}, whose end {end:g} is refused: {problem}", "ends that are valid")


def _explained(config: type[Config]) -> set[str]:
    """The settings with a string below them, a description, or a place among the `Attributes:` of their class."""
    listed = "".join((one.__doc__ or "").partition("Attributes:")[2] for one in config.__mro__)
    named = {name for name in config.model_fields if re.search(rf"^\s+{name}: ", listed, re.MULTILINE)}
    described = {name for name, field in config.model_fields.items() if field.description}
    try:
        return {*docstrings(config), *described, *named}
    except OSError:  # a class that was made without a file has no source to look into
        return {*described, *named}


def _problem(name: str, field: FieldInfo, value: float) -> str:
    alone: dict[str, Any] = {name: (field.annotation, field)}
    try:
        create_model("Alone", __base__=Config, **alone).model_validate({name: value})
    except ValidationError as error:
        return error.errors()[0]["msg"]
    return ""


def _tunes(field: FieldInfo) -> Iterator[Tune]:
    """The ranges of a setting, those inside a union with None too."""
    yield from (note for note in field.metadata if isinstance(note, Tune))
    for part in get_args(field.annotation):
        yield from (note for note in getattr(part, "__metadata__", ()) if isinstance(note, Tune))
