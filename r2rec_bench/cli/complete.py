"""What the shell offers after a tab for components and families; files it completes by itself.

Set up once with `r2rec --install-completion`. Nothing is looked up unless the shell asks.
"""

from __future__ import annotations

from collections.abc import Callable

Complete = Callable[[str], list[str]]


def component_names(*families: str) -> Complete:
    """Names of components that begin as typed; of all families where none is named."""

    def complete(incomplete: str) -> list[str]:
        from r2rec_bench.core.registry import FAMILIES, registry

        names = {name for family in families or FAMILIES for name in registry(family).names()}
        return sorted(name for name in names if name.startswith(incomplete))

    return complete


def family_names(incomplete: str) -> list[str]:
    """Families of components that begin as typed."""
    from r2rec_bench.core.registry import FAMILIES

    return [name for name in FAMILIES if name.startswith(incomplete)]
