"""One registry per component family: decorator in code, `use:` in YAML, entry points for strangers.

Components of the package live one per file in their family's folder and are imported on the first miss or
listing; plug-ins are found through the entry-point group `r2rec_bench.plugins`. A plug-in that does not import
is named in every message about an unknown component, not swallowed.
"""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from types import SimpleNamespace
from typing import ClassVar, Generic, TypeVar, get_type_hints

from r2rec_bench.core.config import Config
from r2rec_bench.core.errors import InputError, unknown

PLUGIN_GROUP = "r2rec_bench.plugins"
PLUGINS_VARIABLE = "R2REC_PLUGINS"
"""Environment variable: `none` keeps strangers' code out, in this process and in all that it starts."""

FAMILIES: dict[str, str] = {
    "sources": "r2rec_bench.data.base:sources",
    "splits": "r2rec_bench.data.base:splits",
    "negatives": "r2rec_bench.data.base:negative_samplers",
    "chains": "r2rec_bench.chains.base:chain_samplers",
    "prompts": "r2rec_bench.prompts.base:prompt_strategies",
    "teachers": "r2rec_bench.traces.base:teachers",
    "backbones": "r2rec_bench.llm.base:backbones",
    "rewards": "r2rec_bench.training.rewards.base:rewards",
    "pairs": "r2rec_bench.training.pairs.base:pair_makers",
    "stages": "r2rec_bench.training.base:stages",
    "rankers": "r2rec_bench.evaluation.base:rankers",
    "metrics": "r2rec_bench.evaluation.metrics.base:metrics",
    "baselines": "r2rec_bench.evaluation.base:baselines",
}
"""Where each family's registry lives; imported only when that family is asked for."""


class Component:
    """A registered class: typed settings in `config`, one method of its family, no other state before it is used.

    A subclass states its settings by annotating `config` with a `Config` subclass; without one it has none.
    """

    config: Config

    def __init__(self, config: Config | None = None) -> None:
        self.config = config if config is not None else self.config_type()()

    @classmethod
    def config_type(cls) -> type[Config]:
        """The class of this component's settings."""
        owner = next(base for base in cls.__mro__ if "config" in inspect.get_annotations(base))
        # Only this one annotation is evaluated: the others may name types that are imported for type checkers alone.
        config = SimpleNamespace(__annotations__={"config": inspect.get_annotations(owner)["config"]})
        return get_type_hints(config, vars(sys.modules[owner.__module__]), dict(vars(owner)))["config"]

    @classmethod
    def summary(cls) -> str:
        """The first sentence of the docstring."""
        return (inspect.getdoc(cls) or "").split("\n\n")[0].replace("\n", " ")


C = TypeVar("C", bound=Component)
D = TypeVar("D", bound=type[Component])


@dataclass(frozen=True, slots=True)
class BrokenPlugin:
    """A plug-in whose import failed: its entry point, its package, and why."""

    name: str
    value: str
    reason: str

    def __str__(self) -> str:
        return f"plug-in '{self.name}' ({self.value}) did not load: {self.reason}"


class Registry(Generic[C]):
    """The components of one family by name.

    Args:
        family: plural key as in YAML listings, e.g. `chains`.
        kind: singular for messages, e.g. `chain sampler`.
        base: class every component derives from.
        package: dotted name of the folder whose modules register the built-in ones; none for a family of plug-ins.
    """

    broken: ClassVar[list[BrokenPlugin]] = []
    _plugins_loaded: ClassVar[bool] = False

    def __init__(self, family: str, kind: str, base: type[C], package: str = "") -> None:
        self.family = family
        self.kind = kind
        self.base = base
        self._package = package
        self._classes: dict[str, type[C]] = {}
        self._builtin_loaded = False

    def register(self, name: str) -> Callable[[D], D]:
        """Class decorator that adds a component under `name`.

        Raises:
            InputError: `name` is taken by another class (both files are shown), or the class is of another family.
        """

        def add(cls: D) -> D:
            if not issubclass(cls, self.base):
                raise InputError(f"{_place(cls)}: a {self.kind} derives from {self.base.__qualname__}")
            other = self._classes.get(name)
            if other is not None and _place(other) != _place(cls):
                raise InputError(
                    f"two classes want to be the {self.kind} '{name}': {_place(other)} and {_place(cls)}. Rename one."
                )
            self._classes[name] = cls
            return cls

        return add

    def get(self, name: str) -> type[C]:
        """The component class called `name`.

        Raises:
            InputError: there is none; the message gives the nearest name and any plug-in that failed to load.
        """
        if name not in self._classes:
            self._load()
        if name not in self._classes:
            raise InputError(self.unknown_message(name))
        return self._classes[name]

    def unknown_message(self, name: str) -> str:
        """What to tell whoever asked for `name`: the nearest, all there are, and any plug-in that failed to load."""
        notes = [str(plugin) for plugin in self.broken]
        if not _plugins_wanted():
            notes.append("plug-ins were left out, as --no-plugins or R2REC_PLUGINS asks")
        return " ".join([f"{unknown(self.kind, name, self.names())}.", *(f"Note: {note}." for note in notes)])

    def names(self) -> list[str]:
        """All names, sorted, built-in and plug-ins."""
        self._load()
        return sorted(self._classes)

    def __iter__(self) -> Iterator[tuple[str, type[C]]]:
        for name in self.names():
            yield name, self.get(name)

    def _load(self) -> None:
        if self._package and not self._builtin_loaded:
            package = importlib.import_module(self._package)
            for module in pkgutil.iter_modules(package.__path__):
                importlib.import_module(f"{self._package}.{module.name}")
            self._builtin_loaded = True
        if not Registry._plugins_loaded and _plugins_wanted():
            Registry._plugins_loaded = True
            for entry in entry_points(group=PLUGIN_GROUP):
                try:
                    entry.load()
                except Exception as error:  # a stranger's import may raise anything; it is reported by name
                    reason = f"{type(error).__name__}: {error}"
                    Registry.broken.append(BrokenPlugin(entry.name, entry.value, reason))


def registry(family: str) -> Registry[Component]:
    """The registry of a family, imported when first asked for.

    Raises:
        InputError: no such family.
    """
    if family not in FAMILIES:
        raise unknown("family", family, FAMILIES)
    module, attribute = FAMILIES[family].split(":")
    return getattr(importlib.import_module(module), attribute)


def _plugins_wanted() -> bool:
    """Whether strangers' components may be imported.

    Raises:
        InputError: the variable says something else than `none`, which may have been meant to keep them out.
    """
    value = os.environ.get(PLUGINS_VARIABLE, "")
    if value not in {"", "none"}:
        raise InputError(f"{PLUGINS_VARIABLE}: expected none, or nothing; got '{value}'")
    return not value


def _place(cls: type) -> str:
    """`Class (file:line)`, to find a component by hand."""
    try:
        return f"{cls.__qualname__} ({inspect.getsourcefile(cls)}:{inspect.getsourcelines(cls)[1]})"
    except (OSError, TypeError):
        return f"{cls.__module__}.{cls.__qualname__}"
