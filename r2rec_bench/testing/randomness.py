"""The global random states that components leave alone."""

from __future__ import annotations

import random
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import numpy as np


@dataclass(frozen=True, slots=True)
class RandomStates:
    """The states of the generators that everybody in a process shares, by library; torch's only once it is loaded."""

    states: dict[str, Any]

    @classmethod
    def now(cls) -> RandomStates:
        """As they are."""
        states: dict[str, Any] = {"random": random.getstate(), "numpy.random": np.random.get_state()}
        if "torch" in sys.modules:
            import torch

            states["torch"] = torch.get_rng_state()
        return cls(states)

    def differing(self, other: RandomStates) -> list[str]:
        """The libraries whose states are not the same in both."""
        return [name for name in self.states if name in other.states and not self._same(name, other)]

    def restore(self) -> None:
        """Put them back."""
        random.setstate(self.states["random"])
        np.random.set_state(self.states["numpy.random"])
        if "torch" in self.states:
            import torch

            torch.set_rng_state(self.states["torch"])

    def _same(self, name: str, other: RandomStates) -> bool:
        one, two = self.states[name], other.states[name]
        if name == "random":
            return one == two
        if name == "torch":
            return bool(one.equal(two))
        pairs = zip(cast("tuple[Any, ...]", one), cast("tuple[Any, ...]", two), strict=True)
        return all(np.array_equal(a, b) for a, b in pairs)


@contextmanager
def untouched() -> Generator[None]:
    """Whatever happens inside leaves the global states as they were."""
    before = RandomStates.now()
    try:
        yield
    finally:
        before.restore()
