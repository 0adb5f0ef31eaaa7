"""The experiment's R2Rec against every other row, paired by user; and the two gains that the paper reports."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.seeds import generator
from r2rec_bench.core.types import FloatArray
from r2rec_bench.files import ASKING
from r2rec_bench.report.study import Row, Study
from r2rec_bench.report.values import LEVEL, NOWHERE
from r2rec_bench.statistics.bootstrap import Interval
from r2rec_bench.statistics.holm import holm
from r2rec_bench.statistics.paired import Comparison, compare, paired_differences
from r2rec_bench.statistics.power import minimum_detectable_effect
from r2rec_bench.statistics.share import share

METRIC = "hr@1"
ALPHA = 0.05
"""Level of a family of comparisons."""
ERRORS = ("mae", "se")
"""Stored metrics of which less is better."""


@dataclass(frozen=True, slots=True, eq=False)
class Paired:
    """One comparison of the family.

    Attributes:
        row: the system compared with.
        comparison: of the reference less `row`.
        adjusted: p-value after Holm over the family.
        detectable: the smallest true difference found with probability 0.8; NaN where no user differs.
    """

    row: Row
    comparison: Comparison
    adjusted: float
    detectable: float

    @property
    def significant(self) -> bool:
        """Whether the two differ, at the level of the family."""
        return self.adjusted < ALPHA


@dataclass(frozen=True, slots=True, eq=False)
class Comparisons:
    """A family of them, and the rows that could not be compared with the reason."""

    reference: Row
    pairs: tuple[Paired, ...]
    left_out: tuple[tuple[Row, str], ...]


def compared(study: Study, rows: Sequence[Row]) -> Comparisons | None:
    """A study's reference against each of `rows`, as one family; none without a reference."""
    return None if study.reference is None else against(study.reference, rows)


def against(reference: Row, rows: Sequence[Row], metric: str = METRIC) -> Comparisons:
    """The reference against each of `rows` but itself, by a stored metric, as one family."""
    found: list[tuple[Row, Comparison]] = []
    left_out: list[tuple[Row, str]] = []
    for row in rows:
        if row is reference:
            continue
        rng = generator(reference.result.seed, "comparison", reference.result.run_id, row.result.run_id, metric)
        try:
            by_user = differences(reference, row, metric)
            found.append((row, compare(by_user, rng, higher_is_better=metric not in ERRORS, level=LEVEL)))
        except InputError as error:
            left_out.append((row, str(error)))
    adjusted = holm(np.array([comparison.p_value for _, comparison in found]))
    pairs = tuple(
        Paired(row, comparison, float(p), _detectable(comparison))
        for (row, comparison), p in zip(found, adjusted, strict=True)
    )
    return Comparisons(reference, pairs, tuple(left_out))


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What a study's reference is compared with: systems and ablations are families of their own."""

    systems: Comparisons | None
    ablations: Comparisons | None

    @property
    def pairs(self) -> dict[Row, Paired]:
        """Every comparison by its row."""
        return {pair.row: pair for family in (self.systems, self.ablations) if family for pair in family.pairs}

    @property
    def marked(self) -> frozenset[Row]:
        """The rows that differ from the reference."""
        return frozenset(row for row, pair in self.pairs.items() if pair.significant)


def judged(study: Study) -> Judged:
    """Both families of a study."""
    return Judged(
        compared(study, [row for row in study.rows if not row.ablation]),
        compared(study, [row for row in study.rows if row.ablation]),
    )


def differences(a: Row, b: Row, metric: str) -> FloatArray:
    """a − b by user and seed, float64 (q, s); a row of a single run stands against every seed of the other.

    Raises:
        InputError: they were not asked the same, or have several runs each, but not as many.
    """
    if a.protocol != b.protocol:
        raise InputError(f"asked otherwise: '{b.protocol}' against '{a.protocol}'")
    of_b, of_a = (row.result.users.offered for row in (b, a))
    if of_b != of_a:  # what a protocol does not tell, such as another version of the data
        raise InputError(f"asked other lists, of {of_b:,} different items against {of_a:,}; run both on the same data")
    n = max(len(a.runs), len(b.runs))
    if {len(a.runs), len(b.runs)} - {1, n}:
        raise InputError(f"{len(a.runs)} seeds against {len(b.runs)}: run both under the same seeds")
    pairs = zip(*(row.results * (n if len(row.results) == 1 else 1) for row in (a, b)), strict=True)
    return np.column_stack([paired_differences(x.users, y.users, metric) for x, y in pairs])


def relative_gain(of: Row, over: Row | None) -> Interval:
    """HR@1 of one row over another's, less 1, with its interval.

    NaN where either has no HR@1, they were not asked the same or about one user alone, or the other's mean is 0; the
    ends alone are NaN where the other's interval reaches 0, for then a ratio has none.
    """
    if over is None:
        return NOWHERE
    try:
        more = differences(of, over, METRIC)
        rng = generator(of.result.seed, "relative gain", of.result.run_id, over.result.run_id)
        found = share(more, of.values(METRIC) - more, rng, level=LEVEL)
    except InputError:
        return NOWHERE
    value = found.part.mean / found.whole.mean if found.whole.mean else math.nan
    return replace(found.part, mean=value, low=found.low, high=found.high)


def backbone_of(row: Row) -> str:
    """The backbone's name in the registry."""
    return json.loads((row.artifact.path / ASKING).read_text("utf-8"))["backbone"]["use"]


def _detectable(comparison: Comparison) -> float:
    spread = comparison.sd > 0  # also false for the NaN of a single user
    n = comparison.difference.n
    return minimum_detectable_effect(n, comparison.sd, comparison.seeds) if spread else math.nan
