"""Contracts by name: of one component, of a family, of everything that a package registers."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, cast

from pydantic import TypeAdapter, ValidationError

from r2rec_bench.core.config import Config, Family, Spec, problems_of
from r2rec_bench.core.errors import ConfigError, InputError, NoDataError
from r2rec_bench.core.registry import FAMILIES, Component, registry
from r2rec_bench.core.resources import measure
from r2rec_bench.testing.contract import Contract, ContractError


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    BROKEN = "BROKEN"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a component did.

    Attributes:
        family: as in `r2rec list`.
        name: the component's.
        status: whether it keeps its contract.
        reason: the broken rule, what was got and what is expected; or why it was skipped; empty where all is well.
        seconds: wall time.
    """

    family: str
    name: str
    status: Status
    reason: str
    seconds: float


def contract_of(family: str) -> Contract[Component]:
    """The contract of a family, imported when first asked for.

    Raises:
        InputError: no such family.
    """
    registry(family)
    return cast("Contract[Component]", importlib.import_module(f"{__package__}.{family}").CONTRACT)


def check(family: str, component: str | Mapping[str, Any] | Component) -> None:
    """Whether a component keeps the contract of its family.

    Args:
        family: as in `r2rec list`, e.g. `chains`.
        component: as in YAML, `mine`, `mine:argument` or `{"use": "mine", "n": 3}`; or one that is ready for use.

    Raises:
        ContractError: it breaks a rule; the rule, what was got and what is expected are told.
        ConfigError: there is none of that name, or its settings are not valid.
    """
    contract_of(family).check(component if isinstance(component, Component) else _built(family, component))


def check_family(family: str, settings: Mapping[str, Mapping[str, Any]] | None = None) -> Iterator[Verdict]:
    """A verdict on every registered component of a family, one by one.

    Args:
        family: as in `r2rec list`.
        settings: by name, for components that need some or are cheaper with others.
    """
    for name in registry(family).names():
        yield verdict(family, name, (settings or {}).get(name))


def check_plugin(package: str, settings: Mapping[str, Mapping[str, Any]] | None = None) -> tuple[Verdict, ...]:
    """Every component that a package registers, in all families.

    Args:
        package: its top-level name, e.g. `my_package`; it is imported, whether or not it is installed as a plug-in.
        settings: by name, as for `check_family`.

    Returns:
        A verdict each; those that need settings which are not given are skipped, with the reason.

    Raises:
        InputError: it cannot be imported, or registers nothing.
        ContractError: a component breaks a rule; the first such error, after all have been tried.
    """
    try:
        importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package.partition(".")[0]:
            raise
        raise InputError(f"no package '{package}' to check; install it, or name the one that you import") from None
    found = components_of(package)
    if not found:
        raise InputError(f"the package '{package}' registers no component; is the module that does so imported by it?")
    errors: list[ContractError] = []
    verdicts = tuple(verdict(family, name, (settings or {}).get(name), errors) for family, name in found)
    if errors:
        raise errors[0]
    return verdicts


def components_of(package: str) -> list[tuple[str, str]]:
    """(family, name) of what a top-level package registers."""
    return [
        (family, name)
        for family in FAMILIES
        for name, cls in registry(family)
        if cls.__module__.partition(".")[0] == package.partition(".")[0]
    ]


def verdict(
    family: str,
    component: str,
    settings: Mapping[str, Any] | None = None,
    errors: list[ContractError] | None = None,
) -> Verdict:
    """How a component did, by its name as in YAML.

    Args:
        family: as in `r2rec list`.
        component: `mine`, or `mine:argument`.
        settings: of it.
        errors: gets the error of a broken rule.
    """
    status, reason = Status.OK, ""
    with measure() as watch:
        try:
            check(family, {"use": component, **settings} if settings else component)
        except ContractError as error:
            status, reason = Status.BROKEN, str(error)
            if isinstance(error.__cause__, NoDataError):
                status, reason = Status.SKIPPED, str(error.__cause__)
            elif errors is not None:
                errors.append(error)
        except ConfigError as error:
            required = all(problem.message.startswith("required") for problem in error.problems)
            if not required:
                raise
            needed = ", ".join(problem.where for problem in error.problems)
            status, reason = Status.SKIPPED, f"needs settings: {needed}"
        except ModuleNotFoundError as error:
            status, reason = Status.SKIPPED, f"needs a library that is not installed: {error.name}"
    return Verdict(family, component, status, reason, watch.seconds)


def _built(family: str, component: str | Mapping[str, Any]) -> Component:
    adapter = TypeAdapter[Spec](Annotated[Spec, Family(family)])
    try:
        return adapter.validate_python(component).build()
    except ValidationError as error:
        raise ConfigError(f"check {family}", problems_of(error, Config)) from None
