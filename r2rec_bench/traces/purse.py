"""A hard limit on what is spent: the worst case is put aside before a request is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

_MILLION = 1_000_000


class BudgetEndedError(Exception):
    """A request could exceed the budget, and nothing that is put aside will come back."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Per million tokens, in any one currency."""

    read: float
    written: float

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """What so many tokens cost."""
        return (prompt_tokens * self.read + completion_tokens * self.written) / _MILLION


class Reserve:
    """What one request may take at most; settled when it is known what it took."""

    def __init__(self, tokens: int, price: float) -> None:
        self.tokens = tokens
        self.price = price

    def settle(self, tokens: int, price: float) -> None:
        """What the request took."""
        self.tokens, self.price = tokens, price


class Purse:
    """Counts what is spent and put aside, within one event loop.

    Args:
        budget: most that may be spent; None for no limit.
        budget_tokens: most tokens, read and written; None for no limit.
        spent: price of what came before.
        spent_tokens: tokens of what came before.
    """

    def __init__(
        self, budget: float | None, budget_tokens: int | None, *, spent: float = 0.0, spent_tokens: int = 0
    ) -> None:
        self._budget = budget
        self._budget_tokens = budget_tokens
        self.spent = spent
        self.spent_tokens = spent_tokens
        self._aside: set[Reserve] = set()
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def reserved(self, tokens: int, price: float) -> AsyncGenerator[Reserve]:
        """Puts the worst case aside; what the reserve is settled at when it is given back counts as spent.

        Raises:
            BudgetEndedError: the request could exceed the budget.
        """
        reserve = Reserve(tokens, price)
        async with self._changed:
            while not self._fits(reserve):
                if not self._aside:
                    raise BudgetEndedError
                await self._changed.wait()
            self._aside.add(reserve)
        try:
            yield reserve
        finally:
            self._aside.discard(reserve)
            self.spent += reserve.price
            self.spent_tokens += reserve.tokens
            async with self._changed:
                self._changed.notify_all()

    def _fits(self, reserve: Reserve) -> bool:
        price = self.spent + sum(one.price for one in self._aside) + reserve.price
        tokens = self.spent_tokens + sum(one.tokens for one in self._aside) + reserve.tokens
        return (self._budget is None or price <= self._budget) and (
            self._budget_tokens is None or tokens <= self._budget_tokens
        )
