"""What a report is about: rows, where they come from, and which of them is judged against the others."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.store import Artifact, ArtifactStore
from r2rec_bench.core.types import FloatArray
from r2rec_bench.evaluation.results import BASELINE, R2REC, UNTRAINED, Run, RunResult
from r2rec_bench.report.varied import Varied
from r2rec_bench.statistics.paired import in_order_of
from r2rec_bench.statistics.seeds import complete


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One system of a table.

    Attributes:
        group: the ablation or further experiment it belongs to; empty for the experiment's own rows.
        runs: the system under each seed, at least one; all were asked the same lists.
        ablation: whether the group is an ablation, whose only row this is.
    """

    group: str
    runs: tuple[Run, ...]
    ablation: bool = False

    @property
    def result(self) -> RunResult:
        """Of the first seed; all have its system and kind."""
        return self.runs[0].result

    @property
    def artifact(self) -> Artifact:
        """Of the first seed."""
        return self.runs[0].artifact

    @property
    def results(self) -> tuple[RunResult, ...]:
        """Of each seed."""
        return tuple(run.result for run in self.runs)

    @property
    def protocol(self) -> str:
        """How it was asked; the same under each seed."""
        return self.result.protocol

    @property
    def label(self) -> str:
        """The name in tables."""
        if self.ablation or not self.group:
            return self.group or self.result.system
        return f"{self.group}: {self.result.system}"

    @property
    def short_id(self) -> str:
        """The run as tables give it: the start of its id, or of that of its first seed and how many there are."""
        return self.runs[0].short_id + (f" ×{len(self.runs)}" if len(self.runs) > 1 else "")

    def values(self, metric: str) -> FloatArray:
        """A metric by user, as the first run orders them, and seed, float64 (q, s).

        Raises:
            InputError: a run has no such metric, or was asked about other users.
        """
        return np.column_stack([in_order_of(self.result.users, result.users, metric) for result in self.results])

    def mean(self, metric: str) -> float:
        """Mean over the users who have a value under each seed; NaN when none has."""
        known = complete(self.values(metric)).mean(axis=1)
        return float(known.mean()) if len(known) else math.nan


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """The rows of one table, at least one.

    Attributes:
        name: of the experiment, also of the report's folder.
        question: what it asks.
        rows: in the order of the table.
        ablations: what each group of further rows asks, by name.
        failed: further rows that are missing, with the reason, by name.
        probes: what backbones knew of the data before any training, where they were asked.
        varied: which of the ablations are values of one setting.
    """

    name: str
    question: str
    rows: tuple[Row, ...]
    ablations: Mapping[str, str] = field(default_factory=dict[str, str])
    failed: Mapping[str, str] = field(default_factory=dict[str, str])
    probes: tuple[Artifact, ...] = ()
    varied: tuple[Varied, ...] = ()

    @property
    def reference(self) -> Row | None:
        """The row judged against the others: the experiment's own R2Rec after its last stage."""
        own = [row for row in self.rows if row.result.kind == R2REC and not row.group]
        return own[-1] if own else None

    @property
    def best_baseline(self) -> Row | None:
        """The baseline with the highest HR@1 of those asked like the reference, the first of equals."""
        known = [row for row in self._alike() if row.result.kind == BASELINE and "hr@1" in row.result.users.metrics]
        return max(known, key=lambda row: row.mean("hr@1"), default=None)

    @property
    def untrained(self) -> Row | None:
        """The experiment's own backbone before any training, asked like the reference."""
        return next((row for row in self._alike() if row.result.kind == UNTRAINED and not row.group), None)

    def _alike(self) -> tuple[Row, ...]:
        """The rows asked like the reference; all of them without one."""
        reference = self.reference
        return self.rows if reference is None else tuple(row for row in self.rows if row.protocol == reference.protocol)

    @property
    def protocol(self) -> str:
        """What all rows have in common, or each protocol there is."""
        return " / ".join(dict.fromkeys(row.protocol for row in self.rows))

    @property
    def runs(self) -> tuple[Run, ...]:
        """Of all rows, row by row."""
        return tuple(run for row in self.rows for run in row.runs)


def several_seeds(rows: Iterable[Row]) -> bool:
    """Whether any of the rows has more than one run."""
    return any(len(row.runs) > 1 for row in rows)


def system_of(store: ArtifactStore, runs: str) -> Row:
    """A stored run as a row; those of one system under several seeds, with commas or spaces between, as one row too.

    Seeds stand in ascending order, however they are given.

    Raises:
        InputError: no such run, or they are of different systems, asked otherwise, or two of them of one seed.
    """
    artifacts = [store.find(run) for run in re.split(r"[\s,]+", runs.strip())]
    found = [Run(RunResult.load(artifact.path), artifact) for artifact in artifacts]
    together = Row("", tuple(sorted(found, key=lambda run: run.result.seed)))
    names = list(dict.fromkeys(run.result.system for run in found))
    if len(names) > 1:
        raise InputError(f"{runs}: the seeds of one system stand together; got '{names[0]}' and '{names[1]}'")
    protocols = list(dict.fromkeys(run.result.protocol for run in found))
    if len(protocols) > 1:
        raise InputError(f"{runs}: the seeds of one system are asked alike; got '{protocols[0]}' and '{protocols[1]}'")
    seeds = [result.seed for result in together.results]
    if len(set(seeds)) < len(seeds):
        raise InputError(f"{runs}: one run per seed; got the seeds {', '.join(map(str, seeds))}")
    return together


def lineage(store: ArtifactStore, artifacts: Iterable[Artifact]) -> tuple[Artifact, ...]:
    """`artifacts` and all that they were made from, each once, nothing before its inputs."""
    found: dict[str, Artifact] = {}

    def visit(artifact: Artifact) -> None:
        if artifact.fingerprint not in found:
            for before in store.inputs(artifact):
                visit(before)
            found[artifact.fingerprint] = artifact

    for artifact in artifacts:
        visit(artifact)
    return tuple(found.values())


def seconds_alone(store: ArtifactStore, rows: Iterable[Row]) -> float:
    """Wall seconds of all runs if each had been made by itself, sharing nothing."""
    made = (lineage(store, [run.artifact]) for row in rows for run in row.runs)
    return sum(artifact.seconds for artifacts in made for artifact in artifacts)
