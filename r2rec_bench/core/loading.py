"""Experiments, ablations and `--set`: from files to one validated configuration that knows where each value is from.

An experiment is a complete mapping of settings. An ablation is a delta of one, or of another ablation:

    extends: ../experiments/ml-1m.yaml
    question: Does reinforcement learning add anything to fine-tuning?
    change:
      stages.grpo: null
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Generic

from pydantic import Field, StringConstraints, ValidationError

from r2rec_bench.core.changes import Change, Draft, changed, drafted, placed
from r2rec_bench.core.config import Config, M, problems_of
from r2rec_bench.core.errors import ConfigError, Problem, nearest
from r2rec_bench.core.tree import Origin, Plain, child, leaves, marked, plain
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
    """

    value: M
    leaves: tuple[Leaf, ...]
    name: str
    question: str = ""
    extends: Path | None = None


_Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Ablation(Config):
    """What an ablation's file holds."""

    extends: _Text
    question: _Text
    change: Annotated[dict[str, Any], Field(min_length=1)]
    name: str = ""


def load(path: Path, model: type[M], overrides: Iterable[str] = ()) -> Loaded[M]:
    """The experiment or ablation in `path`, with `overrides` on top.

    Args:
        path: the YAML file.
        model: what the experiment is validated as.
        overrides: `stages.grpo.lr=1e-6` and the like; the value is YAML.

    Raises:
        ConfigError: everything wrong in the first file that has something wrong, by file, line and key path.
        InputError: a file is not there.
    """
    draft, ablation = _read(path, model, ())
    draft = _overridden(draft, tuple(overrides), model)
    story = tuple(Leaf(name, plain(node), str(node.origin)) for name, node in leaves(draft.tree))
    if ablation is None:
        return Loaded(draft.value, story, path.stem)
    base = _base(path, ablation.extends)
    return Loaded(draft.value, story, ablation.name or path.stem, ablation.question, base)


def _read(path: Path, model: type[M], above: tuple[Path, ...]) -> tuple[Draft[M], Ablation | None]:
    text = read_yaml(path)
    change, extends = child(text.root, "change"), child(text.root, "extends")
    if change is None and extends is None:
        return _experiment(text, model), None
    keys, problems = _keys(text)
    if extends is None or not isinstance(extends.value, str) or not extends.value.strip():
        raise ConfigError(text.source, problems)
    base, above = _base(path, extends.value), (*above, path)
    where = f"{extends.origin.place}: extends"
    if base.resolve() in [file.resolve() for file in above]:
        circle = " → ".join(str(file) for file in (*above, base))
        raise ConfigError(text.source, [Problem(where, f"a circle: {circle}")])
    if not base.is_file():
        near = nearest(base.name, (file.name for file in base.parent.glob("*.y*ml")))
        raise ConfigError(text.source, [Problem(where, f"no file '{base}'", near and str(base.with_name(near)))])
    draft, _ = _read(base, model, above)
    entries = change.value if change and isinstance(change.value, dict) else {}
    changes = [Change(key, marked(node, "ablation")) for key, node in entries.items()]
    draft, wrong = changed(draft, changes, model, each_matters=True)
    if problems or wrong:
        raise ConfigError(text.source, problems + wrong)
    return draft, keys


def _base(path: Path, extends: str) -> Path:
    return Path(os.path.normpath(path.parent / extends.strip()))


def _experiment(text: YamlText, model: type[M]) -> Draft[M]:
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


def _overridden(draft: Draft[M], overrides: tuple[str, ...], model: type[M]) -> Draft[M]:
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
