"""YAML in which every key remembers its line, no key is given twice, and broken text gets a helpful message.

Scalars follow YAML 1.2: `1e-6` is a number, `no` and `2018-01-01` are text. Aliases and tags are refused, so that
each value stands on one line of one file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import yaml

from r2rec_bench.core.errors import ConfigError, InputError, Problem, nearest
from r2rec_bench.core.tree import Node, Origin, Scalar, joined

_TAG = "tag:yaml.org,2002:"
_STRUCTURE_TAGS = {f"{_TAG}map", f"{_TAG}seq"}
_SCALARS = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?(0|[1-9][0-9_]*)", list("-+0123456789")),
    "float": (
        r"[-+]?([0-9][0-9_]*\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+0123456789."),
    ),
}
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")
"""What an escape can bring into a text though no text file can hold it."""
_HINTS = {
    r"'\t'": "indent with spaces, not with tabs",
    "mapping values are not allowed": "text that contains ': ' needs quotes",
    "could not find expected ':'": "a key needs ': ' after it",
    "expected a single document": "a file holds one document, without a second '---'",
}


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  PyYAML's own hook

    def compose_node(self, parent: yaml.Node | None, index: object) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise yaml.MarkedYAMLError(problem="aliases are not used here; write the value out", problem_mark=mark)
        return super().compose_node(parent, index)  # type: ignore[arg-type]


for _name, (_pattern, _first) in _SCALARS.items():
    _Loader.add_implicit_resolver(f"{_TAG}{_name}", re.compile(rf"(?:{_pattern})\Z"), _first)


@dataclass(frozen=True, slots=True)
class YamlText:
    """Parsed YAML: its values, and what is wrong with its keys, to be reported together with wrong values."""

    source: str
    root: Node
    problems: list[Problem] = field(default_factory=list[Problem])


def read_yaml(path: Path) -> YamlText:
    """The mapping in a YAML file; origins are `file:line`.

    Raises:
        ConfigError: the file is not YAML, or no mapping.
        InputError: it is not there, or not UTF-8.
    """
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        near = nearest(path.name, (other.name for other in path.parent.glob("*.y*ml")))
        hint = f" Did you mean '{path.with_name(near)}'?" if near else ""
        raise InputError(f"no file '{path}'.{hint}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text: {error}") from None
    parsed = parse_yaml(text, str(path), lambda line: Origin(f"{path}:{line}"))
    if not isinstance(parsed.root.value, dict):
        got = "it is empty" if parsed.root.value is None else f"got {type(parsed.root.value).__name__}"
        raise ConfigError(str(path), [Problem(f"{path}:1", f"expected a mapping of settings; {got}")])
    return parsed


def parse_yaml(text: str, source: str, origin: Callable[[int], Origin]) -> YamlText:
    """`text` as a tree; `origin` gives the origin of what stands on a line, counted from 1.

    Raises:
        ConfigError: the text is not YAML.
    """
    try:
        top = cast("yaml.Node | None", yaml.compose(text, Loader=_Loader))
    except yaml.YAMLError as error:
        raise ConfigError(source, [_broken(error, text, origin)]) from None
    except RecursionError:
        raise ConfigError(source, [Problem(origin(1).place, "not valid YAML: nested too deeply")]) from None
    builder = _Builder(origin)
    return YamlText(source, builder.node(top, builder.origin(1), ""), builder.problems)


def _broken(error: yaml.YAMLError, text: str, origin: Callable[[int], Origin]) -> Problem:
    context, what, mark = "", str(error).split("\n")[0], None
    if isinstance(error, yaml.MarkedYAMLError):
        context, what, mark = error.context or "", error.problem or what, error.problem_mark
    hint = next((f"; {hint}" for sign, hint in _HINTS.items() if sign in f"{context} {what}"), "")
    lines = text.splitlines()
    line = mark.line if mark else 0
    got = lines[line].strip() if line < len(lines) else "the end of the file"
    return Problem(origin(line + 1).place, f"not valid YAML: {what}{hint}; got: {got}")


@dataclass(slots=True)
class _Builder:
    origin: Callable[[int], Origin]
    problems: list[Problem] = field(default_factory=list[Problem])

    def node(self, node: yaml.Node | None, origin: Origin, path: str) -> Node:
        if isinstance(node, yaml.MappingNode):
            self._check_tag(node, origin, path)
            return Node(self._mapping(node, path), origin)
        if isinstance(node, yaml.SequenceNode):
            self._check_tag(node, origin, path)
            items = [
                self.node(item, self.origin(item.start_mark.line + 1), joined(path, str(index)))
                for index, item in enumerate(cast("list[yaml.Node]", node.value))
            ]
            return Node(items, origin)
        return Node(self._scalar(node, origin, path), origin)

    def _mapping(self, node: yaml.MappingNode, path: str) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for key_node, value_node in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
            origin = self.origin(key_node.start_mark.line + 1)
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != f"{_TAG}str":
                got = cast("object", key_node.value) if isinstance(key_node, yaml.ScalarNode) else "a structure"
                self._add(origin, path, f"a key is text; got {got}: put it in quotes")
                continue
            key = str(key_node.value)
            if key in found:
                self._add(origin, joined(path, key), f"given twice; first at {found[key].origin.place}")
                continue
            found[key] = self.node(value_node, origin, joined(path, key))
        return found

    def _scalar(self, node: yaml.Node | None, origin: Origin, path: str) -> Scalar:
        if node is None:
            return None
        name = node.tag.removeprefix(_TAG)
        if name == "str":
            if _UNWRITABLE.search(node.value):
                self._add(origin, path, "NUL or half a character, which no file can be called by or hold as text")
            return str(node.value)
        if name in _SCALARS:
            try:
                return cast("Scalar", yaml.constructor.SafeConstructor().construct_object(node))
            except ValueError:  # Python reads no number of more than some thousand digits
                self._add(origin, path, f"a number of {len(node.value)} digits; expected a shorter one")
                return None
        self._check_tag(node, origin, path)
        return None

    def _check_tag(self, node: yaml.Node, origin: Origin, path: str) -> None:
        if node.tag not in _STRUCTURE_TAGS:
            self._add(origin, path, f"the tag '{node.tag.replace(_TAG, '!!')}' is not used here; write the plain value")

    def _add(self, origin: Origin, path: str, message: str) -> None:
        self.problems.append(Problem(": ".join(filter(None, [origin.place, path])), message))
