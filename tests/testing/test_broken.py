"""Each rule of each family catches a component that breaks it, and says which rule that is."""

from collections.abc import Iterator

import pytest

from r2rec_bench.core.registry import FAMILIES, Component
from r2rec_bench.testing import ContractError, contract_of
from r2rec_bench.testing.every import contract
from r2rec_bench.testing.worlds import moments, worlds
from tests.testing.broken import answers, data, everywhere, evidence, models  # noqa: F401  they mark what is broken
from tests.testing.broken.marks import BROKEN, CALLS, Broken

RULES = {family: {rule.name for rule in contract_of(family).rules} for family in FAMILIES}
EVERYWHERE = {rule.name for rule in contract("any", Component).rules}
"""Rules that all families have; chains show what breaks them."""


@pytest.fixture(autouse=True)
def clean_worlds() -> Iterator[None]:
    """What a broken component did to a world is for no other test."""
    CALLS.clear()
    yield
    worlds.cache_clear()
    moments.cache_clear()


@pytest.mark.parametrize("broken", BROKEN, ids=str)
def test_it_is_caught(broken: Broken):
    only = broken.rule if broken.rule in RULES[broken.family] else None
    with pytest.raises(ContractError, match=broken.says) as caught:
        contract_of(broken.family).check(broken.cls(broken.config), only=only)
    assert caught.value.rule == broken.rule
    told = (broken.cls.__name__, broken.rule, caught.value.got, caught.value.expected)
    assert all(word in str(caught.value) for word in told)


@pytest.mark.parametrize("family", FAMILIES)
def test_no_rule_is_without_a_component_that_breaks_it(family: str):
    shown = {broken.rule for broken in BROKEN if broken.family == family}
    assert RULES[family] - (EVERYWHERE if family != "chains" else set()) <= shown


@pytest.mark.parametrize(("family", "sound"), [("stages", models.Noise), ("rankers", answers.ByNumber)])
def test_what_the_broken_are_made_of_breaks_no_rule(family: str, sound: type[Component]):
    contract_of(family).check(sound())
