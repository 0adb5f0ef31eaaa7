"""A setting tried at several values: the rows that differ by it alone, in the order of its values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from r2rec_bench.core.describe import in_yaml
from r2rec_bench.core.loading import Loaded
from r2rec_bench.core.tree import Plain
from r2rec_bench.experiment import Experiment


@dataclass(frozen=True, slots=True)
class Varied:
    """An ablation that is a row for each value of a setting.

    Attributes:
        name: of the ablation.
        setting: its path.
        values: by group of the row, the full model's own under the empty name where the others differ from it by
            nothing else.
    """

    name: str
    setting: str
    values: Mapping[str, Plain]

    @property
    def numbers(self) -> Mapping[str, float] | None:
        """The values in ascending order; none where one is no number."""
        found: dict[str, float] = {}
        for group, value in self.values.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                return None
            found[group] = float(value)
        return dict(sorted(found.items(), key=lambda item: item[1]))

    @property
    def groups(self) -> tuple[str, ...]:
        """Of the rows, by ascending value; where values have no order, the full model's own comes first."""
        return tuple(self.numbers or sorted(self.values, key=bool))


def varied(base: Loaded[Experiment], variants: Sequence[Loaded[Experiment]]) -> Varied | None:
    """What the variants that one file stands for differ by.

    Args:
        base: the experiment that it changes.
        variants: at least one.

    Returns:
        None where the file varies nothing.
    """
    setting = variants[0].vary
    found = {one.name: _value(_leaves(one), setting) for one in variants}
    if not setting or None in found.values():
        return None
    name = variants[0].name.removesuffix(f" {variants[0].variant}")
    known, part = _leaves(base), setting.removesuffix(".use")
    first = _leaves(variants[0])
    beside = {path for path in known.keys() | first.keys() if known.get(path) != first.get(path)}
    own = _value(known, setting)
    # Whatever else the file changes, the full model is then no value among its own.
    if own is not None and all(path == part or path.startswith((f"{part}.", f"{part}[")) for path in beside):
        found[""] = own
    return Varied(name, setting, found)


def shown(value: Plain) -> str:
    """A value as it stands in the names of rows: 4 and 4.0 are the same number."""
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else in_yaml(value)


def _leaves(one: Loaded[Experiment]) -> Mapping[str, Plain]:
    return {leaf.path: leaf.value for leaf in one.leaves}


def _value(leaves: Mapping[str, Plain], setting: str) -> Plain:
    return leaves.get(setting, leaves.get(f"{setting}.use"))
