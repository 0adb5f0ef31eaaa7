"""The cells of a transfer study: which model is asked about which domain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from r2rec_bench.core.describe import in_yaml
from r2rec_bench.transfer.definition import Planned


class Way(StrEnum):
    """What a model knows of the domain that it is asked about."""

    BASELINE = "baseline"
    """A recommender of another kind, fitted on the target, for contrast."""
    UNTRAINED = "untrained"
    """Nothing: the backbone as it is."""
    IN_DOMAIN = "in-domain"
    """All of it: trained on the target as any experiment is."""
    ZERO_SHOT = "zero-shot"
    """Nothing: trained on one other domain."""
    MULTI_SOURCE = "multi-source"
    """Nothing: trained on all other domains, in equal parts."""
    FEW_SHOT = "few-shot"
    """A few users: trained on one other domain, or not at all, and then on those."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A model, and the domain it is asked about.

    Attributes:
        way: what the model knows of that domain.
        target: the domain asked about.
        sources: the domains trained on; none for a model that was trained on the target's users alone, or not at all.
        users: of the target that were learnt from, of a few-shot cell; 0 for every other.
        baseline: its place among the experiment's baselines; none for a model of ours.
        label: the row that it belongs to.
    """

    way: Way
    target: str
    sources: tuple[str, ...]
    label: str
    users: int = 0
    baseline: int | None = None

    @property
    def title(self) -> str:
        """Row and column."""
        return f"{self.label} → {self.target}"

    @property
    def carried(self) -> bool:
        """Whether it is asked how much of the in-domain gain the model has."""
        return self.way in {Way.ZERO_SHOT, Way.MULTI_SOURCE, Way.FEW_SHOT}


UNTRAINED = "no training"
OTHERS = "all others"


def cells(planned: Planned) -> tuple[Cell, ...]:
    """All cells, target by target."""
    return tuple(cell for target in planned.domains for cell in _column(planned, target))


def _column(planned: Planned, target: str) -> Iterator[Cell]:
    others = tuple(name for name in planned.domains if name != target)
    yield Cell(Way.UNTRAINED, target, (), UNTRAINED)
    for name in planned.domains:
        yield Cell(Way.IN_DOMAIN if name == target else Way.ZERO_SHOT, target, (name,), name)
    if planned.transfer.multi_source and len(others) > 1:
        yield Cell(Way.MULTI_SOURCE, target, others, OTHERS)
    few = planned.transfer.few_shot
    for users in few.users if few else ():
        told = f"{users:,} user{'s' if users > 1 else ''} of the target"
        yield Cell(Way.FEW_SHOT, target, (), f"{told} alone", users)
        for name in others:
            yield Cell(Way.FEW_SHOT, target, (name,), f"{name}, then {told}", users)
    baselines = planned.experiment.baselines
    names = [spec.use for spec in baselines]
    for place, spec in enumerate(baselines):
        label = spec.use if names.count(spec.use) == 1 else in_yaml(spec.to_dict())
        yield Cell(Way.BASELINE, target, (target,), label, baseline=place)


def rows(planned: Planned) -> tuple[str, ...]:
    """Labels of all rows of the table, in order: each once, whichever columns have a cell there."""
    order = [Way.UNTRAINED, Way.IN_DOMAIN, Way.MULTI_SOURCE, Way.FEW_SHOT, Way.BASELINE]
    domains = list(planned.domains)

    def place(cell: Cell) -> tuple[int, int, int]:
        way = Way.IN_DOMAIN if cell.way is Way.ZERO_SHOT else cell.way
        source = domains.index(cell.sources[0]) if cell.sources and cell.way is not Way.MULTI_SOURCE else -1
        within = cell.baseline if cell.baseline is not None else source
        return order.index(way), cell.users, within

    return tuple(dict.fromkeys(cell.label for cell in sorted(cells(planned), key=place)))
