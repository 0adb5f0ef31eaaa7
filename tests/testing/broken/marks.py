"""How a component is marked that breaks a rule on purpose."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from r2rec_bench.core.config import Config
from r2rec_bench.core.registry import Component

DOC = "Broken on purpose.\n\nSource: this test."
CALLS = Counter()


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


BROKEN: list[Broken] = []


def breaks(
    family: str, rule: str, says: str, config: Config | None = None, doc: str | None = DOC
) -> Callable[[type[Component]], type[Component]]:
    """Marks a component as `Broken`."""

    def mark(cls: type[Component]) -> type[Component]:
        cls.__doc__ = doc
        BROKEN.append(Broken(family, cls, rule, says, config))
        return cls

    return mark


def turns(name: str) -> int:
    """Odd and even in turn: what makes a component forget its seed, the same in every run of the test."""
    CALLS[name] += 1
    return CALLS[name] % 2
