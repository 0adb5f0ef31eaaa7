"""Components that break a rule on purpose, and that each of them is caught."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from r2rec_bench.core.config import Config
from r2rec_bench.core.registry import Component
from r2rec_bench.testing import ContractError, contract_of
from r2rec_bench.testing.every import contract

DOC = "Broken on purpose.\n\nSource: this test."
CALLS = Counter()


def rules_of(family: str) -> set[str]:
    return {rule.name for rule in contract_of(family).rules}


EVERYWHERE = {rule.name for rule in contract("toys", Component).rules}
"""Rules that all families have; `test_broken_everywhere.py` shows what breaks them."""


@dataclass(frozen=True)
class Broken:
    """A component that breaks a rule; `says` is part of what the error must tell."""

    family: str
    cls: type[Component]
    rule: str
    says: str
    config: Config | None

    def __str__(self) -> str:
        return f"{self.family}-{self.cls.__name__}"

    def check_caught(self) -> None:
        """By its own rule, where it is one of the family's; else by the whole contract."""
        only = self.rule if self.rule in rules_of(self.family) else None
        with pytest.raises(ContractError, match=self.says) as caught:
            contract_of(self.family).check(self.cls(self.config), only=only)
        assert caught.value.rule == self.rule
        told = (self.cls.__name__, self.rule, caught.value.got, caught.value.expected)
        assert all(word in str(caught.value) for word in told)


class Breaks:
    """Marks components as `Broken`, and knows those of its file."""

    def __init__(self) -> None:
        self.shown: list[Broken] = []

    def __call__(
        self, family: str, rule: str, says: str, config: Config | None = None, doc: str | None = DOC
    ) -> Callable[[type[Component]], type[Component]]:
        def mark(cls: type[Component]) -> type[Component]:
            cls.__doc__ = doc
            self.shown.append(Broken(family, cls, rule, says, config))
            return cls

        return mark

    def rules(self, family: str) -> set[str]:
        """Those that a component of the file breaks."""
        return {broken.rule for broken in self.shown if broken.family == family}


def turns(name: str) -> int:
    """Odd and even in turn: what makes a component forget its seed, the same in every run of the test."""
    CALLS[name] += 1
    return CALLS[name] % 2
