"""What a contract is: the rules of one family, and what is said when a component breaks one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from r2rec_bench.core.errors import R2RecError, unknown
from r2rec_bench.core.registry import Component
from r2rec_bench.testing.randomness import RandomStates

C = TypeVar("C", bound=Component)


class ContractError(R2RecError):
    """A component breaks a rule of its family.

    Attributes:
        rule: the rule's name.
        got: what the component did.
        expected: what the rule asks for.
    """

    def __init__(self, component: Component, rule: str, says: str, got: str, expected: str) -> None:
        self.rule = rule
        self.got = got
        self.expected = expected
        kind = type(component)
        super().__init__(
            f"{kind.__module__}.{kind.__qualname__} breaks the rule {rule}\n"
            f"  rule:     {says}\n  got:      {got}\n  expected: {expected}"
        )


class BreachError(Exception):
    """Raised inside a rule; the contract says whose rule it was."""

    def __init__(self, got: object, expected: str) -> None:
        self.got = str(got)
        self.expected = expected
        super().__init__(f"got {got}, expected {expected}")


def require(holds: object, got: object, expected: str) -> None:
    """Stop a rule where something does not hold.

    Raises:
        BreachError: it does not; told are what was got and what is expected.
    """
    if not holds:
        raise BreachError(got, expected)


@dataclass(frozen=True, slots=True)
class Rule(Generic[C]):
    """One thing that a family promises: `test` raises `BreachError` where a component does not keep it."""

    name: str
    says: str
    test: Callable[[C], None]


@dataclass(frozen=True, slots=True)
class Contract(Generic[C]):
    """All that a family promises.

    Attributes:
        family: as in `r2rec list`.
        base: what its components derive from.
        rules: in the order in which they are tried; the first that is broken is reported.
        spares_randomness: whether the global random states must be left as they are; what trains through libraries that
            seed them for everybody cannot promise it.
    """

    family: str
    base: type[C]
    rules: list[Rule[C]] = field(default_factory=list[Rule[C]])
    spares_randomness: bool = True

    def rule(self, test: Callable[[C], None]) -> Callable[[C], None]:
        """Decorator that adds a rule: named by the function, told by its docstring."""
        self.rules.append(Rule(test.__name__, " ".join((inspect.getdoc(test) or "").split()), test))
        return test

    def check(self, component: C, *, only: str | None = None) -> None:
        """Every rule in turn, or `only` the one of that name.

        Raises:
            ContractError: one is broken.
            InputError: there is no rule of that name.
        """
        require_kind(component, self.base, self.family)
        chosen = [rule for rule in self.rules if only in {None, rule.name}]
        if only is not None and not chosen:
            raise unknown(f"rule of {self.family}", only, [rule.name for rule in self.rules])
        for rule in chosen:
            self._keep(rule, component)

    def _keep(self, rule: Rule[C], component: C) -> None:
        before = RandomStates.now()
        try:
            rule.test(component)
        except BreachError as broken:
            raise ContractError(component, rule.name, rule.says, broken.got, broken.expected) from None
        except ModuleNotFoundError:  # an extra that is not installed is nobody's fault
            raise
        except Exception as error:
            got = f"{type(error).__name__}: {error}"
            raise ContractError(component, rule.name, rule.says, got, "no exception") from error
        moved = RandomStates.now().differing(before)
        if moved and self.spares_randomness:
            raise ContractError(
                component,
                "leaves_global_randomness_alone",
                "Whatever is random comes from a seed or generator that is handed in (r2rec_bench.core.seeds).",
                f"the global state of {', '.join(moved)} moved while {rule.name} was tried",
                "no draw from global generators, and no seeding of them",
            )


def require_kind(component: object, base: type[Component], family: str) -> None:
    """Refuse what is no component of `family`.

    Raises:
        TypeError: it is none, or a class where an instance is expected.
    """
    if isinstance(component, type) and issubclass(component, base):
        raise TypeError(f"expected a component of the family {family}, ready for use; got its class: {component!r}")
    if not isinstance(component, base):
        raise TypeError(f"expected a component of the family {family}, a {base.__name__}; got {component!r}")
