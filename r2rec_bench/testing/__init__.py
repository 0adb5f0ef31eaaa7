"""Contracts: what the components of each family promise, to be tried on your own before anybody relies on them.

    from r2rec_bench.testing import check, check_plugin

    check("chains", "mine")                             # by the name it is registered under
    check("chains", {"use": "mine", "half_life": 3})    # with settings, as in YAML
    check_chain_sampler(Mine())                         # ready for use
    check_plugin("my_package")                          # everything that a package registers

Each raises a `ContractError` that names the broken rule, what was got and what is expected. From the command line:
`r2rec check chains mine`. Nothing here needs pytest.

    contract      rules, and what is said when one is broken
    every         what holds of every component, whatever its family
    worlds        small mean logs; what a query must not see can be exchanged in them
    questions     prompts, lessons and traces about them
    models        language models of a few thousand random weights
    running       components by name, family and package
    sources ...   the rules of a family, a file each, named like the family
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from r2rec_bench.testing.contract import Contract, ContractError, Rule, require
from r2rec_bench.testing.running import Status, Verdict, check, check_family, check_plugin, contract_of

if TYPE_CHECKING:
    from r2rec_bench.core.registry import Component

__all__ = [
    "Contract",
    "ContractError",
    "Rule",
    "Status",
    "Verdict",
    "check",
    "check_backbone",
    "check_baseline",
    "check_chain_sampler",
    "check_family",
    "check_metric",
    "check_negative_sampler",
    "check_pair_maker",
    "check_plugin",
    "check_prompt_strategy",
    "check_ranker",
    "check_reward",
    "check_source",
    "check_split",
    "check_stage",
    "check_teacher",
    "contract_of",
    "require",
]


def _of(family: str) -> Callable[[Component], None]:
    def check_component(component: Component) -> None:
        contract_of(family).check(component)

    check_component.__doc__ = f"Raise a `ContractError` unless a component, ready for use, keeps the rules of {family}."
    return check_component


check_source = _of("sources")
check_split = _of("splits")
check_negative_sampler = _of("negatives")
check_chain_sampler = _of("chains")
check_prompt_strategy = _of("prompts")
check_teacher = _of("teachers")
check_backbone = _of("backbones")
check_reward = _of("rewards")
check_pair_maker = _of("pairs")
check_stage = _of("stages")
check_ranker = _of("rankers")
check_metric = _of("metrics")
check_baseline = _of("baselines")
