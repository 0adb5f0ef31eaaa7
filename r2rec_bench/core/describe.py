"""What there is to tell about a component: `r2rec show` prints it, the generated pages hold it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from pydantic.fields import FieldInfo

from r2rec_bench.core.comments import docstrings
from r2rec_bench.core.config import Config, Family, Spec, Tune
from r2rec_bench.core.registry import PLUGIN_GROUP, Component

OWN = "r2rec-bench"
"""The distribution that this package comes with."""
_PACKAGE = __name__.partition(".")[0]
_LOW, _HIGH = {"ge": "≥", "gt": ">"}, {"le": "≤", "lt": "<"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a component, in words.

    Attributes:
        name: its key.
        kind: what it may be: `int`, `one of a, b`, `list of int`.
        limits: its range; empty for none.
        default: as in YAML; none where it is required.
        searched: the range worth searching; empty where none is stated.
        meaning: what is said below it in the code; empty where its name says all.
        parts: what the elements of a list of settings hold.
    """

    name: str
    kind: str
    limits: str
    default: str | None
    searched: str
    meaning: str
    parts: tuple[Setting, ...] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """The package that a component came in.

    Attributes:
        package: its top-level name in Python.
        distribution: what was installed to have it; empty for a plug-in that no installed distribution declares.
        version: of a stranger's distribution; empty for ours.
    """

    package: str
    distribution: str
    version: str = ""

    @property
    def ours(self) -> bool:
        """Whether it comes with this project, be it as a plug-in."""
        return self.distribution == OWN

    def __str__(self) -> str:
        if self.package == _PACKAGE:
            return self.distribution
        return ", ".join(filter(None, [f"{self.distribution} {self.version}".strip(), f"plug-in {self.package}"]))


@dataclass(frozen=True, slots=True)
class Description:
    """A component, in words.

    Attributes:
        family: its family's key.
        name: by which it is chosen.
        purpose: the first paragraph of its docstring.
        details: further paragraphs; a list or a block of code keeps its lines.
        source: the paper, book or project it is from; empty where none is stated.
        settings: in the order in which they are declared, those of its base first.
        origin: the package it came in.
        path: its file; none for a class that is in no file.
        line: where its class begins there, counted from 1.
    """

    family: str
    name: str
    purpose: str
    details: tuple[str, ...]
    source: str
    settings: tuple[Setting, ...]
    origin: Origin
    path: Path | None
    line: int

    @property
    def relative_path(self) -> str:
        """The file within the repository, or within the folder that packages are installed in; else in full."""
        if self.path is None:
            return ""
        return (self.path.relative_to(root()) if self.path.is_relative_to(root()) else self.path).as_posix()


def describe(family: str, name: str, component: type[Component]) -> Description:
    """Everything that is known of a component of `family`, from its code alone."""
    purpose, details, source = _told(component)
    path, line = _located(component)
    return Description(
        family=family,
        name=name,
        purpose=purpose,
        details=details,
        source=source,
        settings=settings_of(component.config_type()),
        origin=origin(component),
        path=path,
        line=line,
    )


def root() -> Path:
    """The repository's folder, or the one that packages are installed in."""
    return Path(cast("str", inspect.getsourcefile(Config))).parents[2]


def first_sentence(text: str) -> str:
    """The beginning, up to the first full stop that ends a sentence."""
    return re.split(r"(?<=\w\w\.) (?=[A-Z`])", text, maxsplit=1)[0]


def origin(component: type[Component]) -> Origin:
    """The package that a component came in."""
    return _origin(component.__module__.partition(".")[0])


@cache
def _origin(package: str) -> Origin:
    if package == _PACKAGE:
        return Origin(package, OWN)
    plugins = (entry for entry in entry_points(group=PLUGIN_GROUP) if entry.module.partition(".")[0] == package)
    from_ = next((entry.dist for entry in plugins if entry.dist is not None), None)
    if from_ is None:
        return Origin(package, "")
    return Origin(package, from_.name, "" if from_.name == OWN else from_.version)


def settings_of(config: type[Config]) -> tuple[Setting, ...]:
    """The settings of a `Config`, in the order in which they are declared."""
    told = docstrings(config)
    defaults = config.model_construct().model_dump(mode="json", warnings=False)
    return tuple(
        Setting(
            name=name,
            kind=_kind(field.annotation, field.metadata),
            limits=", ".join(_limits(field.annotation, field.metadata)),
            default=in_yaml(defaults[name]) if name in defaults else None,
            searched=", ".join(_searched(field.annotation, field.metadata)),
            meaning=told.get(name, ""),
            parts=_parts(field.annotation),
        )
        for name, field in config.model_fields.items()
    )


def in_yaml(value: Any) -> str:  # noqa: ANN401  anything that YAML can say
    """A value as one would write it on a line of YAML; a component without settings goes by its name."""
    import yaml

    text = yaml.safe_dump(_short(value), default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True)
    return text.strip().removesuffix("\n...")


def _short(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        given = cast("dict[str, Any]", value)
        return given["use"] if given.keys() == {"use"} else {key: _short(below) for key, below in given.items()}
    return [_short(below) for below in cast("list[Any]", value)] if isinstance(value, list) else value


def _located(component: type) -> tuple[Path | None, int]:
    try:
        return Path(inspect.getsourcefile(component) or ""), inspect.getsourcelines(component)[1]
    except (OSError, TypeError):
        return None, 0


def _told(component: type[Component]) -> tuple[str, tuple[str, ...], str]:
    """Purpose, details and source of a component's docstring."""
    paragraphs = [_joined(text) for text in re.split(r"\n\s*\n", inspect.getdoc(component) or "") if text.strip()]
    sources = [text.removeprefix("Source:").strip() for text in paragraphs if text.startswith("Source:")]
    others = [text for text in paragraphs if not text.startswith("Source:")]
    return "".join(others[:1]), tuple(others[1:]), " ".join(sources)


def _joined(paragraph: str) -> str:
    """Running text on one line; lists and blocks of code as they are."""
    lines = paragraph.splitlines()
    kept = any(line.startswith((" ", "- ", "* ")) for line in lines)
    return paragraph if kept else " ".join(lines)


def _kind(annotation: Any, metadata: Sequence[Any] = ()) -> str:  # noqa: ANN401  any type that a setting may have
    family = next((rule.name for rule in metadata if isinstance(rule, Family)), "")
    if family:
        return f"one of the {family}"
    made_of, inner = get_origin(annotation), get_args(annotation)
    if made_of is Annotated:
        return _kind(inner[0], [*_rules(inner[1:])])
    if made_of is Literal:
        return f"{'one of' if len(inner) > 1 else 'always'} {', '.join(map(in_yaml, inner))}"
    if made_of in {Union, UnionType}:
        # `null` comes last, whatever the order in the code.
        return " or ".join([*(_kind(part) for part in inner if part is not NoneType), *["null"] * (NoneType in inner)])
    if made_of is tuple:
        return f"list of {' and '.join(_kind(part) for part in inner if part is not ...)}"
    return _plain_kind(annotation)


def _plain_kind(annotation: Any) -> str:  # noqa: ANN401
    if annotation is Spec:
        return "a component"
    if not isinstance(annotation, type):
        return re.sub(r"\b(?:\w+\.)+(?=\w)", "", str(annotation))
    if issubclass(annotation, Config):
        return "settings"
    if issubclass(annotation, Enum):
        return f"one of {', '.join(in_yaml(choice.value) for choice in annotation)}"
    return {"str": "text", "Path": "path"}.get(annotation.__name__, annotation.__name__)


def _limits(annotation: Any, metadata: Sequence[Any]) -> Iterator[str]:  # noqa: ANN401
    """The bounds of a value, and those of the elements of a list."""
    low, high = _bound(metadata, _LOW), _bound(metadata, _HIGH)
    if low[:1] == "≥" and high[:1] == "≤":
        yield f"{low[2:]} to {high[2:]}"
    else:
        yield from filter(None, (low, high))
    for rule in metadata:
        if getattr(rule, "pattern", None):
            yield f"matches {rule.pattern}"
        if getattr(rule, "min_length", None):
            yield "not empty" if rule.min_length == 1 else f"length ≥ {rule.min_length}"
        if getattr(rule, "max_length", None):
            yield f"length ≤ {rule.max_length}"
    each = "each " if get_origin(annotation) is tuple else ""
    for part, rules in _inside(annotation):
        yield from (each + limit for limit in _limits(part, rules))


def _bound(metadata: Sequence[Any], signs: Mapping[str, str]) -> str:
    """The sign and the number of a bound; empty for none."""
    bounds = ((sign, getattr(rule, name, None)) for rule in metadata for name, sign in signs.items())
    return next((f"{sign} {_number(bound)}" for sign, bound in bounds if bound is not None), "")


def _number(bound: float) -> str:
    return f"{bound:,}" if isinstance(bound, int) and abs(bound) >= 10_000 else f"{bound}"


def _searched(annotation: Any, metadata: Sequence[Any]) -> Iterator[str]:  # noqa: ANN401
    for rule in metadata:
        if isinstance(rule, Tune):
            yield f"{rule.low:g} to {rule.high:g}{' (log)' if rule.log else ''}"
    for part, rules in _inside(annotation):
        yield from _searched(part, rules)


def _parts(annotation: Any) -> tuple[Setting, ...]:  # noqa: ANN401
    if isinstance(annotation, type) and not get_args(annotation):
        return settings_of(annotation) if issubclass(annotation, Config) else ()
    return tuple(setting for part, _ in _inside(annotation) for setting in _parts(part))


def _inside(annotation: Any) -> Iterator[tuple[Any, list[Any]]]:  # noqa: ANN401
    """What an annotation is made of, each part with the rules that hold of it."""
    inner = get_args(annotation)
    if get_origin(annotation) is Annotated:
        yield inner[0], [*_rules(inner[1:])]
    elif get_origin(annotation) is not Literal:
        yield from ((part, []) for part in inner if part is not ...)


def _rules(metadata: tuple[Any, ...]) -> Iterator[Any]:
    for rule in metadata:
        if isinstance(rule, FieldInfo):
            yield from rule.metadata
        else:
            yield rule
