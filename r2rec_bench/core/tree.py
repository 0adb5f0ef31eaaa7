"""A configuration as a tree in which every value knows where it came from, and the paths that lead to them.

A path is written with dots. In a list a segment is an index or, where it is unique, the `use` of the component there:
`stages.grpo.lr`, `stages.1.lr`, `baselines.ease.l2`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, cast

from r2rec_bench.core.errors import InputError, nearest

Scalar: TypeAlias = str | int | float | bool | None
Plain: TypeAlias = "Scalar | list[Plain] | dict[str, Plain]"
Step: TypeAlias = str | int


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was decided: `file:line`, `--set`, or the class whose default it is; `kind` says which."""

    place: str
    kind: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.place}".lstrip()


@dataclass(frozen=True, slots=True)
class Node:
    """A value with its origin.

    Attributes:
        value: a scalar, or the nodes below.
        origin: who decided it.
        stated: false for the default of a setting nobody wrote, and for a list element taken out.
    """

    value: Scalar | dict[str, Node] | list[Node]
    origin: Origin
    stated: bool = True


class PathError(InputError):
    """A path that leads nowhere; `nearest` is the closest one that leads somewhere, or empty."""

    def __init__(self, message: str, nearest: str = "") -> None:
        self.nearest = nearest
        super().__init__(message)


def joined(path: str, name: str) -> str:
    """The path one segment longer."""
    return f"{path}.{name}" if path else name


def child(node: Node | None, step: Step) -> Node | None:
    """The node one step below, or none."""
    match node, step:
        case Node(value=dict() as below), str():
            return below.get(step)
        case Node(value=list() as below), int():
            return below[step] if 0 <= step < len(below) else None
        case _:
            return None


def resolve(root: Node, path: str) -> tuple[Step, ...]:
    """The keys and indices that `path` stands for.

    Raises:
        PathError: there is nothing there, or the name fits several elements of a list.
    """
    node, steps = root, list[Step]()
    for segment in path.split("."):
        step = _step(node, segment)
        below = None if step is None else child(node, step)
        if step is None or below is None:
            _check_unique(node, segment)
            names = ", ".join(_names(node))
            there = f"there is: {names}" if names else "this is a single value"
            raise PathError(f"no '{segment}' here; {there}", _closest(root, path))
        node = below
        steps.append(step)
    return tuple(steps)


def at(root: Node, path: str) -> Node:
    """What is at `path`.

    Raises:
        PathError: as `resolve`.
    """
    node = root
    for step in resolve(root, path):
        node = _below(node, step)
    return node


def replaced(node: Node, steps: Sequence[Step], new: Node) -> Node:
    """The tree with `new` at `steps`; whatever is on the way there counts as stated from now on."""
    if not steps:
        return new
    step, rest = steps[0], steps[1:]
    if isinstance(node.value, dict):
        key = cast("str", step)
        return replace(node, value={**node.value, key: replaced(node.value[key], rest, new)}, stated=True)
    elements, index = list(cast("list[Node]", node.value)), cast("int", step)
    elements[index] = replaced(elements[index], rest, new)
    return replace(node, value=elements, stated=True)


def written(node: Node) -> Node:
    """The tree as it would have to be written: without defaults and without elements taken out."""
    if isinstance(node.value, dict):
        return replace(node, value={key: written(below) for key, below in node.value.items() if below.stated})
    if isinstance(node.value, list):
        return replace(node, value=[written(below) for below in node.value if below.stated])
    return node


def marked(node: Node, kind: str) -> Node:
    """The tree with origins of another kind."""
    value = node.value
    if isinstance(value, dict):
        value = {key: marked(below, kind) for key, below in value.items()}
    elif isinstance(value, list):
        value = [marked(below, kind) for below in value]
    return replace(node, value=value, origin=replace(node.origin, kind=kind))


def plain(node: Node) -> Plain:
    """The values alone."""
    if isinstance(node.value, dict):
        return {key: plain(below) for key, below in node.value.items()}
    if isinstance(node.value, list):
        return [plain(below) for below in node.value]
    return node.value


def leaves(node: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    """Every value with its path; a list of scalars decided at one place is one value."""
    if not node.value or _is_flat(node):
        yield path, node
        return
    for name, step in _names(node).items():
        yield from leaves(_below(node, step), joined(path, name))


def _is_flat(node: Node) -> bool:
    if isinstance(node.value, list):
        return not any(isinstance(below.value, dict | list) or below.origin != node.origin for below in node.value)
    return not isinstance(node.value, dict)


def _paths(node: Node, path: str = "") -> Iterator[str]:
    for name, step in _names(node).items():
        yield joined(path, name)
        yield from _paths(_below(node, step), joined(path, name))


def _below(node: Node, step: Step) -> Node:
    return cast("Node", child(node, step))


def _names(node: Node) -> dict[str, Step]:
    """What the next segment may be, and the step it stands for."""
    if isinstance(node.value, dict):
        return {key: key for key in node.value}
    if not isinstance(node.value, list):
        return {}
    uses = [_use(below) for below in node.value]
    return {use if use and uses.count(use) == 1 else str(index): index for index, use in enumerate(uses)}


def _use(node: Node) -> str:
    use = child(node, "use")
    return use.value if use and isinstance(use.value, str) else ""


def _step(node: Node, segment: str) -> Step | None:
    step = _names(node).get(segment)
    if step is None and isinstance(node.value, list) and segment.isascii() and segment.isdigit():
        return int(segment)
    return step


def _check_unique(node: Node, segment: str) -> None:
    elements = node.value if isinstance(node.value, list) else []
    same = [str(index) for index, below in enumerate(elements) if _use(below) == segment]
    if same:
        raise PathError(f"there are {len(same)} '{segment}' in this list; say which by its index: {', '.join(same)}")


def _closest(root: Node, path: str) -> str:
    """The valid path most like `path`: segment by segment, else one that ends like it, else by all its letters."""
    node, found = root, ""
    for segment in path.split("."):
        step = _step(node, segment)
        if step is None or child(node, step) is None:
            segment = nearest(segment, _names(node))  # noqa: PLW2901  the corrected segment takes its place
            step = _names(node).get(segment)
        if step is None:
            known = list(_paths(root))
            return next((other for other in known if other.endswith(f".{path}")), "") or nearest(path, known)
        node, found = _below(node, step), joined(found, segment)
    return found
