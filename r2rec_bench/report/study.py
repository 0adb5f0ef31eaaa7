"""What a report is about: rows, where they come from, and which of them is judged against the others."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from r2rec_bench.core.store import Artifact, ArtifactStore
from r2rec_bench.data.store import META
from r2rec_bench.evaluation.results import BASELINE, R2REC, UNTRAINED, RunResult


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One system of a table.

    Attributes:
        group: the ablation it belongs to; empty for the experiment's own rows.
        result: per-user values and cost.
        artifact: where they are stored.
    """

    group: str
    result: RunResult
    artifact: Artifact

    @property
    def label(self) -> str:
        """The name in tables."""
        return f"{self.group}: {self.result.system}" if self.group else self.result.system

    @property
    def short_id(self) -> str:
        """The start of the run id, as tables give it."""
        return self.result.run_id[:12]


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """The rows of one table, at least one.

    Attributes:
        name: of the experiment, also of the report's folder.
        question: what it asks.
        rows: in the order of the table.
        ablations: what each group of further rows asks, by name.
    """

    name: str
    question: str
    rows: tuple[Row, ...]
    ablations: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def reference(self) -> Row | None:
        """The row judged against the others: the experiment's own R2Rec after its last stage."""
        own = [row for row in self.rows if row.result.kind == R2REC and not row.group]
        return own[-1] if own else None

    @property
    def best_baseline(self) -> Row | None:
        """The baseline with the highest HR@1, the first of equals."""
        known = [row for row in self.rows if row.result.kind == BASELINE and "hr@1" in row.result.users.metrics]
        return max(known, key=lambda row: row.result.mean("hr@1"), default=None)

    @property
    def untrained(self) -> Row | None:
        """The experiment's own backbone before any training."""
        return next((row for row in self.rows if row.result.kind == UNTRAINED and not row.group), None)

    @property
    def protocol(self) -> str:
        """What all rows have in common, or each protocol there is."""
        return " / ".join(dict.fromkeys(row.result.protocol for row in self.rows))


def row_of(artifact: Artifact) -> Row:
    """A stored result as a row on its own.

    Raises:
        InputError: the artifact holds no result.
    """
    return Row("", RunResult.load(artifact.path), artifact)


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


def synthetic_note(artifacts: Iterable[Artifact]) -> str:
    """What to say loudly where data was generated; empty when all of it is real."""
    notes: list[str] = []
    for artifact in artifacts:
        if artifact.stage != "data":
            continue
        meta = json.loads((artifact.path / META).read_text("utf-8"))
        if meta["synthetic"]:
            best = "" if meta["bayes_hr1"] is None else f" The best possible HR@1 there is {meta['bayes_hr1']:.3f}."
            notes.append(
                f"SYNTHETIC DATA. Everything here was measured in a generated world, {meta['origin']}, and says "
                f"nothing about real users.{best}"
            )
    return "\n".join(notes)
