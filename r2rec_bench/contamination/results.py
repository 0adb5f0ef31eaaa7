"""A finished probe on disk, and what it says: figures with intervals, and a verdict."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from r2rec_bench.contamination.facts import COMMON
from r2rec_bench.contamination.probe import Finding
from r2rec_bench.core.seeds import generator
from r2rec_bench.core.types import FloatArray
from r2rec_bench.statistics.bootstrap import RESAMPLES, Interval, mean_interval
from r2rec_bench.statistics.holm import holm
from r2rec_bench.statistics.paired import sign_flip_p_value

CHANCE = 0.5
LEVEL = 0.95
"""Of all kinds together."""
ENOUGH = 20
"""Pairs from which on a kind is judged."""
_ARRAYS = ("right", "written", "exchanged", "gain")


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A backbone asked about a data set.

    Attributes:
        data: its name.
        backbone: as the experiment writes it, before any training.
        seed: of the draw.
        findings: by kind of fact.
    """

    data: str
    backbone: str
    seed: int
    findings: tuple[Finding, ...]

    def interval(self, finding: Finding) -> Interval:
        """The share of pairs that were right, the same every time; all kinds' intervals hold at 95 % together."""
        rng = generator(self.seed, "contamination", "bootstrap", finding.kind)
        return mean_interval(finding.right, rng, level=1 - (1 - LEVEL) / len(self.findings))

    def beyond_chance(self) -> frozenset[str]:
        """The kinds that were right more often than chance, by sign-flip tests under Holm's correction at 5 %.

        Of few pairs the percentile interval says too much; the test keeps its word.
        """
        p_values = [1.0] * len(self.findings)
        for place, finding in enumerate(self.findings):
            known = finding.right[~np.isnan(finding.right)] - CHANCE
            if known.sum() > 0:
                rng = generator(self.seed, "contamination", "test", finding.kind)
                p_values[place] = sign_flip_p_value(known, rng, RESAMPLES)
        adjusted = holm(np.array(p_values))
        return frozenset(f.kind for f, p in zip(self.findings, adjusted, strict=True) if p <= 1 - LEVEL)

    @property
    def verdict(self) -> str:
        """What follows, in a sentence or two."""
        who, intervals = f"{self.backbone} and {self.data}", {f.kind: self.interval(f) for f in self.findings}
        told = {kind: interval for kind, interval in intervals.items() if interval.n >= ENOUGH}
        above = self.beyond_chance() & set(told)
        if not any(interval.n for interval in intervals.values()):
            return f"{who}: the model has no tokens for what is asked, so it can have learnt none of it by heart."
        if above - COMMON:
            return (
                f"CONTAMINATED: {who}. The model knows what stands in the data set alone; what it scores here may be "
                "recalled and not reasoned."
            )
        if set(intervals) - COMMON - set(told):
            return f"{who}: fewer than {ENOUGH} pairs of a kind could be asked about, too few for a verdict."
        if above:
            return (
                f"{who}: the model knows these items, as general knowledge can, and nothing was found that stands in "
                "the data set alone."
            )
        return f"{who}: no sign that the model has seen the data set."


def write(probe: Probe, path: Path) -> None:
    """`probe` as JSON; null where a pair could not be asked."""
    findings = [{"kind": one.kind, **{name: _listed(getattr(one, name)) for name in _ARRAYS}} for one in probe.findings]
    told = {"data": probe.data, "backbone": probe.backbone, "seed": probe.seed, "findings": findings}
    path.write_text(json.dumps(told) + "\n", "utf-8")


def read(path: Path) -> Probe:
    """What `write` wrote."""
    told = json.loads(path.read_text("utf-8"))
    findings = [
        Finding(one["kind"], **{name: np.array(one[name], np.float64) for name in _ARRAYS}) for one in told["findings"]
    ]
    return Probe(told["data"], told["backbone"], told["seed"], tuple(findings))


def _listed(values: FloatArray) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values.tolist()]
