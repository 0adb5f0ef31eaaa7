"""The parts of an experiment that a component can take, and which components are tried in one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast, get_args

from r2rec_bench.core.config import Config, Family, Spec
from r2rec_bench.core.describe import in_yaml
from r2rec_bench.core.errors import InputError, unknown
from r2rec_bench.core.registry import registry
from r2rec_bench.core.tree import Origin, plain
from r2rec_bench.core.yamlfile import parse_yaml
from r2rec_bench.experiment import Experiment

_OPTION = "--vary"


@dataclass(frozen=True, slots=True)
class Part:
    """Where an experiment names components of a family.

    Attributes:
        family: whose components.
        path: its key, `candidates.negatives` for one inside another.
        many: whether it is a list of them.
    """

    family: str
    path: str
    many: bool

    def of(self, experiment: Experiment) -> tuple[Spec, ...]:
        """What the experiment has there."""
        value: object = experiment
        for key in self.path.split("."):
            value = getattr(value, key)
        return cast("tuple[Spec, ...]", value) if self.many else (cast("Spec", value),)

    def put(self, written: dict[str, Any], spec: Mapping[str, Any]) -> None:
        """Puts one component there; a list then has no other."""
        *above, key = self.path.split(".")
        for name in above:
            written = written[name]
        written[key] = [dict(spec)] if self.many else dict(spec)


@dataclass(frozen=True, slots=True)
class Choice:
    """A component to try.

    Attributes:
        label: its row or column.
        use: its name.
        given: settings asked for.
        named: whether somebody named it, so that what is wrong with it stops everything.
    """

    label: str
    use: str
    given: Mapping[str, Any]
    named: bool


@dataclass(frozen=True, slots=True)
class Axis:
    """A part and what is tried in it."""

    part: Part
    choices: tuple[Choice, ...]


def parts() -> dict[str, Part]:
    """By family, where an experiment names its components; of two places the first."""
    found: dict[str, Part] = {}
    for part in _parts_of(Experiment, ""):
        found.setdefault(part.family, part)
    return found


def axis(text: str) -> Axis:
    """What `--vary` asks for: a family, or a family and some of its components, `chains=recent,none`.

    A component may have settings, as in YAML: `chains=[recent, {use: recent, half_life_days: 7}]`.

    Raises:
        InputError: no such family or component, or none that an experiment names.
        ConfigError: what follows `=` is no list in YAML.
    """
    name, equals, chosen = text.partition("=")
    known = parts()
    part = known.get(name.strip()) or next((part for part in known.values() if part.path == name.strip()), None)
    allowed = [family for family in known if family != "metrics"]
    if part is None or part.family == "metrics":
        raise _not_varied(name.strip(), allowed)
    if not equals:
        return Axis(part, tuple(Choice(use, use, {}, named=False) for use in registry(part.family).names()))
    source = f"{_OPTION} {part.family}"
    chosen = chosen.strip() if chosen.strip().startswith("[") else f"[{chosen}]"
    values = plain(parse_yaml(chosen, source, lambda _: Origin(source)).root)
    choices = tuple(_choice(part, value) for value in cast("Sequence[object]", values))
    labels = [choice.label for choice in choices]
    if not choices or len(set(labels)) < len(labels):
        twice = next((f"'{label}' twice" for label in labels if labels.count(label) > 1), "nothing")
        raise InputError(f"{source}: got {twice}; name each component once, e.g. {part.family}=a,b")
    return Axis(part, choices)


def _not_varied(name: str, allowed: Sequence[str]) -> InputError:
    reasons = {
        "metrics": "metrics are the columns of every report",
        "rewards": "rewards are settings of a stage; vary stages=[{use: grpo, rewards: [...]}, ...]",
        "pairs": "pairs are settings of a stage; vary stages=[{use: dpo, rejected: ...}, ...]",
    }
    if name in reasons:
        return InputError(f"{_OPTION} {name}: {reasons[name]}. Can be varied: {', '.join(sorted(allowed))}")
    return unknown(f"family for {_OPTION}", name, allowed)


def _choice(part: Part, value: object) -> Choice:
    source = f"{_OPTION} {part.family}"
    if isinstance(value, str):
        use, colon, argument = value.partition(":")
        config = registry(part.family).get(use).config_type()
        first = next(iter(config.model_fields), None)
        if colon and first is None:
            raise InputError(f"{source}: '{use}' has no settings, so it takes no argument; got '{argument}'")
        return Choice(value, use, {str(first): argument} if colon else {}, named=True)
    given = dict(cast("Mapping[str, Any]", value)) if isinstance(value, dict) else {}
    use = given.pop("use", None)
    if not isinstance(use, str):
        raise InputError(f"{source}: expected names, or mappings with `use`; got {value!r}")
    known = registry(part.family).get(use).config_type().model_fields
    for key in given:
        if key not in known:
            raise unknown(f"setting of '{use}'", key, known)
    told = ", ".join(f"{key}: {in_yaml(setting)}" for key, setting in given.items())
    return Choice(f"{use} ({told})" if told else use, use, given, named=True)


def _parts_of(config: type[Config], above: str) -> Iterator[Part]:
    for key, field in config.model_fields.items():
        inner = get_args(field.annotation)
        element = get_args(inner[0])[1:] if inner else ()
        for rules, many in ((field.metadata, False), (element, True)):
            yield from (Part(rule.name, above + key, many) for rule in rules if isinstance(rule, Family))
        if isinstance(field.annotation, type) and not inner and issubclass(field.annotation, Config):
            yield from _parts_of(field.annotation, f"{above}{key}.")
