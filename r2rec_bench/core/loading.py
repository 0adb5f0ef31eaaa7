"""Experiments, ablations and `--set`: from files to one validated configuration that knows where each value is from.

An experiment is a complete mapping of settings. An ablation is a delta of one, or of another ablation:

    extends: ../experiments/ml-1m.yaml
    question: Does reinforcement learning add anything to fine-tuning?
    change:
      stages.grpo: null

One that stands for several experiments gives one setting several values; a value that is the experiment's own is left
out:

    extends: ../experiments/ml-1m.yaml
    question: How many chains does it take?
    vary:
      chains.n: [1, 2, 4]
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Generic, Self, TypeAlias

from pydantic import Field, StringConstraints, ValidationError, model_validator

from r2rec_bench.core.changes import Change, Draft, changed, drafted, placed
from r2rec_bench.core.config import Config, M, problems_of
from r2rec_bench.core.describe import in_yaml
from r2rec_bench.core.errors import ConfigError, InputError, Problem, nearest
from r2rec_bench.core.tree import Node, Origin, PathError, Plain, at, child, leaves, marked, plain
from r2rec_bench.core.yamlfile import YamlText, parse_yaml, read_yaml


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value of a configuration: its path, and `file:line`, `ablation file:line`, `--set` or `default of Class`."""

    path: str
    value: Plain
    origin: str


@dataclass(frozen=True, slots=True)
class Loaded(Generic[M]):
    """A configuration and its story.

    Attributes:
        value: validated.
        leaves: all its values, in order, defaults included.
        name: what an ablation calls itself, else the file's name without its ending.
        question: what an ablation asks; empty for an experiment.
        extends: what an ablation changes; none for an experiment.
        vary: the setting of which an ablation tries several values; empty where it has none.
        variant: which of them this is, as its name ends.
    """

    value: M
    leaves: tuple[Leaf, ...]
    name: str
    question: str = ""
    extends: Path | None = None
    vary: str = ""
    variant: str = ""


_Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Ablation(Config):
    """What an ablation's file holds."""

    extends: _Text
    question: _Text
    change: Annotated[dict[str, Any], Field(default_factory=dict)]
    vary: Annotated[dict[str, Annotated[list[Any], Field(min_length=1)]], Field(max_length=1, default_factory=dict)]
    name: str = ""

    @model_validator(mode="after")
    def _differs(self) -> Self:
        if not (self.change or self.vary):
            raise ValueError("expected `change`, `vary` or both; without them it is what it extends")
        return self


def load(path: Path, model: type[M], overrides: Iterable[str] = (), *, changes: Sequence[Change] = ()) -> Loaded[M]:
    """The experiment or ablation in `path`, with `overrides` on top.

    Args:
        path: the YAML file.
        model: what the experiment is validated as.
        overrides: `stages.grpo.lr=1e-6` and the like; the value is YAML.
        changes: those of another file, beneath the overrides.

    Raises:
        ConfigError: everything wrong in the first file that has something wrong, by file, line and key path.
        InputError: a file is not there, or stands for several experiments.
    """
    first, *others = load_all(path, model, overrides, changes=changes)
    if others:
        names = ", ".join(f"'{one.name}'" for one in (first, *others))
        raise InputError(f"{path} stands for {1 + len(others)} experiments, {names}; here one is needed")
    return first


def load_all(
    path: Path,
    model: type[M],
    overrides: Iterable[str] = (),
    *,
    instead: Path | None = None,
    changes: Sequence[Change] = (),
) -> tuple[Loaded[M], ...]:
    """As `load`; an ablation that varies a setting is an experiment for each of its values.

    Args:
        path: the YAML file.
        model: what the experiment is validated as.
        overrides: as for `load`.
        instead: the experiment to change, in the place of the one that an ablation names in the end.
        changes: as for `load`.

    Raises:
        ConfigError: as `load`.
        InputError: a file is not there.
    """
    variants, ablation = _read(path, model, (), instead)
    found: list[Loaded[M]] = []
    for value, variant in variants.items():
        variant, wrong = changed(variant, changes, model, each_matters=False)  # noqa: PLW2901
        if wrong:
            raise ConfigError(str(path), wrong)
        draft = overridden(variant, tuple(overrides), model)
        story = tuple(Leaf(name, plain(node), str(node.origin)) for name, node in leaves(draft.tree))
        if ablation is None:
            found.append(Loaded(draft.value, story, path.stem))
        else:
            name = " ".join(filter(None, [ablation.name or path.stem, value]))
            extends, vary = _base(path, ablation.extends), next(iter(ablation.vary), "")
            found.append(Loaded(draft.value, story, name, ablation.question, extends, vary, value))
    return tuple(found)


_Variants: TypeAlias = dict[str, Draft[M]]
"""By the value that tells them apart; empty for the only one."""


def _read(
    path: Path, model: type[M], above: tuple[Path, ...], instead: Path | None
) -> tuple[_Variants[M], Ablation | None]:
    text = read_yaml(path)
    extends = child(text.root, "extends")
    if extends is None and not any(child(text.root, key) for key in ("change", "vary")):
        return {"": as_stated(text, model)}, None
    keys, problems = _keys(text)
    if extends is None or not isinstance(extends.value, str) or not extends.value.strip():
        raise ConfigError(text.source, problems)
    base, above = _base(path, extends.value), (*above, path)
    where = f"{extends.origin.place}: extends"
    if not _is_there(base):
        near = nearest(base.name, _beside(base))
        raise ConfigError(text.source, [Problem(where, f"no file {str(base)!r}", near and str(base.with_name(near)))])
    if base.resolve() in [file.resolve() for file in above]:
        circle = " → ".join(str(file) for file in (*above, base))
        raise ConfigError(text.source, [Problem(where, f"a circle: {circle}")])
    try:
        bases, below = _read(base, model, above, instead)
    except ConfigError as error:
        raise ConfigError(f"{error.source}, extended at {extends.origin.place}", error.problems) from None
    if below is None and instead is not None:
        bases, _ = _read(instead, model, (), None)
    if len(bases) > 1:
        values = ", ".join(bases)
        raise ConfigError(text.source, [Problem(where, f"'{base}' stands for several experiments: {values}")])
    (draft,) = bases.values()
    fixed = [Change(key, marked(node, "ablation")) for key, node in _entries(text.root, "change")]
    variants: _Variants[M] = {}
    for value, varied in _varied(text.root, draft):
        variants[value], wrong = changed(draft, [*fixed, *varied], model, each_matters=True)
        problems += [problem for problem in wrong if problem not in problems]
    if problems:
        raise ConfigError(text.source, problems)
    return variants, keys


def _entries(root: Node, key: str) -> Iterable[tuple[str, Node]]:
    below = child(root, key)
    return below.value.items() if below and isinstance(below.value, dict) else ()


def _varied(root: Node, draft: Draft[M]) -> Iterator[tuple[str, list[Change]]]:
    """The value that tells a variant apart, and the change that makes it; where nothing varies, one of neither.

    A value that the experiment has already is no variant, unless there is no other, which is then told as no change.
    """
    found: dict[str, list[Change]] = {}
    for path, values in _entries(root, "vary"):
        for node in values.value if isinstance(values.value, list) else ():
            value = plain(child(node, "use") or node)
            found[value if isinstance(value, str) else in_yaml(value)] = [Change(path, marked(node, "ablation"))]
    others = {value: changes for value, changes in found.items() if not _is_own(draft, changes[0])}
    yield from (others or found or {"": []}).items()


def _is_own(draft: Draft[M], change: Change) -> bool:
    try:
        return plain(at(draft.tree, change.path)) == plain(change.node)
    except PathError:  # said with whatever else is wrong
        return False


def _is_there(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:  # a name longer than the system allows
        return False


def _beside(file: Path) -> list[str]:
    """The YAML files in its folder; none where there is no such folder, or no such name can be."""
    try:
        return [found.name for found in file.parent.glob("*.y*ml")]
    except (OSError, ValueError):
        return []


def _base(path: Path, extends: str) -> Path:
    return Path(os.path.normpath(path.parent / extends.strip()))


def as_stated(text: YamlText, model: type[M]) -> Draft[M]:
    """What a whole file states, with where in it.

    Raises:
        ConfigError: everything wrong in it, by line and key path.
    """
    draft = drafted(model, text.root)
    wrong = draft if isinstance(draft, list) else []
    if isinstance(draft, list) or text.problems:
        raise ConfigError(text.source, text.problems + wrong)
    return draft


def _keys(text: YamlText) -> tuple[Ablation | None, list[Problem]]:
    try:
        return Ablation.model_validate(plain(text.root)), text.problems
    except ValidationError as error:
        wrong = [placed(problem, text.root) for problem in problems_of(error, Ablation)]
        return None, text.problems + wrong


def overridden(draft: Draft[M], overrides: Iterable[str], model: type[M]) -> Draft[M]:
    """The configuration with `overrides` on top, as for `load`.

    Raises:
        ConfigError: everything wrong with them.
    """
    changes: list[Change] = []
    problems: list[Problem] = []
    for override in overrides:
        path, equals, value = override.partition("=")
        if not equals:
            problems.append(Problem("--set", f"expected KEY.PATH=VALUE; got '{override}'"))
            continue
        try:
            parsed = parse_yaml(value, "--set", lambda _: Origin("--set"))
        except ConfigError as error:
            problems += [Problem(f"--set: {path}", problem.message) for problem in error.problems]
            continue
        problems += parsed.problems
        changes.append(Change(path.strip(), parsed.root))
    draft, wrong = changed(draft, changes, model, each_matters=False)
    if problems or wrong:
        raise ConfigError("--set", problems + wrong)
    return draft
