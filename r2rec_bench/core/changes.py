"""Changes to a validated configuration: which value, to what, and whether that is a change at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, cast

from pydantic import BaseModel, ValidationError

from r2rec_bench.core.config import M, Spec, problems_of
from r2rec_bench.core.errors import Problem
from r2rec_bench.core.tree import (
    Node,
    Origin,
    PathError,
    Plain,
    Step,
    child,
    plain,
    replaced,
    resolve,
    written,
)


@dataclass(frozen=True, slots=True)
class Draft(Generic[M]):
    """A valid configuration with the origin of everything in it, defaults included."""

    value: M
    tree: Node


@dataclass(frozen=True, slots=True)
class Change:
    """`path` becomes `node`; null takes an element out of a list."""

    path: str
    node: Node

    @property
    def where(self) -> str:
        return f"{self.node.origin.place}: {self.path}"


def drafted(model: type[M], root: Node) -> Draft[M] | list[Problem]:
    """What was written, validated: the configuration, or all its problems placed by file and line."""
    given = written(root)
    try:
        value = model.model_validate(plain(given))
    except ValidationError as error:
        return [placed(problem, given) for problem in problems_of(error, model)]
    return Draft(value, _explained(value, value.model_dump(mode="json"), given, given.origin))


def placed(problem: Problem, root: Node) -> Problem:
    """`problem` with the line of the value it is about, of a component that of its name, or of what is around it."""
    node = root
    for segment in problem.where.split("."):
        below = child(node, int(segment) if isinstance(node.value, list) and segment.isdigit() else segment)
        if below is None:
            break
        node = below
    node = child(node, "use") or node
    return replace(problem, where=": ".join(filter(None, [node.origin.place, problem.where])))


def changed(
    draft: Draft[M], changes: Sequence[Change], model: type[M], *, each_matters: bool
) -> tuple[Draft[M], list[Problem]]:
    """The configuration after all `changes`, and what is wrong with them.

    Args:
        draft: what is changed; every path is one of its paths, whatever other changes do.
        changes: applied together, so that settings that only go together can change together.
        model: what the result is validated as.
        each_matters: whether a change that changes nothing is a problem.
    """
    problems: list[Problem] = []
    found: list[tuple[tuple[Step, ...], Change]] = []
    for change in changes:
        try:
            found.append((resolve(draft.tree, change.path), change))
        except PathError as error:
            problems.append(Problem(change.where, str(error), error.nearest))
    for index, (steps, change) in enumerate(found):
        for other_index, (other_steps, other) in enumerate(found):
            if steps[: len(other_steps)] == other_steps and (steps != other_steps or other_index < index):
                relation = "is the same place" if steps == other_steps else "holds it"
                problems.append(Problem(change.where, f"'{other.path}' is changed as well, and {relation}; change one"))
    after = drafted(model, _applied(draft.tree, found))
    if isinstance(after, list):
        return draft, problems + after
    if each_matters:
        for steps, change in found:
            others = [(path, other) for path, other in found if other is not change]
            # Pinning a value that another change would move is a change, and so is restating what another implies.
            alone = _same(draft, drafted(model, _applied(draft.tree, [(steps, change)])))
            if alone and _same(after, drafted(model, _applied(draft.tree, others))):
                problems.append(Problem(change.where, f"changes nothing; it is {plain(change.node)!r} already"))
    return after, problems


def _applied(root: Node, changes: Iterable[tuple[tuple[Step, ...], Change]]) -> Node:
    for steps, change in changes:
        taken_out = change.node.value is None and isinstance(steps[-1], int)
        # A step vanishes only beneath another change, which is reported as such.
        if _leads(root, steps):
            root = replaced(root, steps, replace(change.node, stated=not taken_out))
    return root


def _leads(root: Node, steps: Sequence[Step]) -> bool:
    node: Node | None = root
    for step in steps:
        node = child(node, step)
    return node is not None


def _same(draft: Draft[M], other: Draft[M] | list[Problem]) -> bool:
    return isinstance(other, Draft) and plain(draft.tree) == plain(other.tree)


def _explained(value: object, dump: Plain, given: Node | None, origin: Origin, stated: bool = True) -> Node:
    """The tree of a validated value.

    Args:
        value: as the model holds it; knows which settings were left to their defaults.
        dump: the same as plain values, everything explicit.
        given: as it was written, if it was; a component may be written shorter than it is.
        origin: of what is around it.
        stated: whether somebody wrote it.
    """
    origin = given.origin if given else origin
    if isinstance(dump, list):
        elements = [_explained(_inside(value, i), below, child(given, i), origin) for i, below in enumerate(dump)]
        return Node(elements, origin, stated)
    if not isinstance(dump, dict):
        return Node(dump, origin, stated)
    settings = value.settings if isinstance(value, Spec) else value
    children: dict[str, Node] = {}
    for key, below in dump.items():
        default = isinstance(settings, BaseModel) and not _is_stated(key, settings, given)
        around = Origin(type(settings).__name__, "default of") if default else origin
        children[key] = _explained(_inside(settings, key), below, child(given, key), around, not default)
    return Node(children, origin, stated)


def _is_stated(key: str, settings: BaseModel, given: Node | None) -> bool:
    if given and isinstance(given.value, dict):
        return key in given.value  # a validator may have set it since, which must not keep it from setting it anew
    return key == "use" or key in settings.model_fields_set


def _inside(value: object, step: Step) -> object:
    if isinstance(step, int):
        return cast("Sequence[object]", value)[step] if isinstance(value, Sequence) else None
    if isinstance(value, Mapping):
        return cast("Mapping[str, object]", value).get(step)
    return getattr(value, step, None)
