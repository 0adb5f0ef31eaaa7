import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r2rec_bench.traces.purse import BudgetEndedError, Prices, Purse


def test_prices_are_per_million():
    assert Prices(2.0, 8.0).of(500_000, 250_000) == pytest.approx(1.0 + 2.0)


async def spend(purse: Purse, worst: int, real: int, hold: int) -> bool:
    """Whether a request of at most `worst` tokens, which takes `real`, was allowed."""
    try:
        async with purse.reserved(worst, worst / 1_000) as reserve:
            for _ in range(hold):
                await asyncio.sleep(0)  # others have their turn
            reserve.settle(real, real / 1_000)
    except BudgetEndedError:
        return False
    return True


@given(
    st.integers(0, 300),
    st.lists(st.tuples(st.integers(1, 100), st.integers(0, 100), st.integers(0, 5)), max_size=30),
    st.booleans(),
)
def test_whatever_is_under_way_the_budget_holds(budget, requests, in_tokens):
    async def all_at_once() -> tuple[Purse, list[bool]]:
        purse = Purse(None, budget) if in_tokens else Purse(budget / 1_000 + 1e-9, None)
        asked = [spend(purse, worst, min(worst, real), hold) for worst, real, hold in requests]
        return purse, await asyncio.gather(*asked)

    purse, allowed = asyncio.run(all_at_once())
    taken = sum(min(worst, real) for (worst, real, _), yes in zip(requests, allowed, strict=True) if yes)
    assert purse.spent_tokens == taken <= budget
    assert purse.spent == pytest.approx(taken / 1_000)
    # Nobody is refused who would still fit when all is settled.
    assert all(yes or worst + taken > budget for (worst, _, _), yes in zip(requests, allowed, strict=True))


def test_what_was_spent_before_counts():
    async def ask(worst: int) -> bool:
        return await spend(Purse(None, 100, spent_tokens=60), worst, worst, 0)

    assert asyncio.run(ask(40))
    assert not asyncio.run(ask(41))


def test_a_request_that_is_cut_off_counts_as_its_worst_case():
    async def cut_off() -> Purse:
        purse = Purse(None, 100)
        with pytest.raises(KeyError):
            async with purse.reserved(70, 0.0):
                raise KeyError
        return purse

    assert asyncio.run(cut_off()).spent_tokens == 70
