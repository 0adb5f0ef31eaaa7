"""What was run: every artifact behind the table, what it took, what became of the traces, and on which machine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from r2rec_bench.core.environment import Environment
from r2rec_bench.core.fingerprint import shortened
from r2rec_bench.core.store import Artifact
from r2rec_bench.evaluation.results import Run
from r2rec_bench.files import AUDIT, CASES, COUNTS, LOG
from r2rec_bench.report.study import Study
from r2rec_bench.report.text import in_markdown, markdown

_LOST = 0.05
"""Share of the items taken that may have no valid answer."""


def provenance_lines(study: Study, artifacts: Sequence[Artifact], alone: float) -> Iterator[str]:
    """The section in Markdown.

    Args:
        study: whose runs were made.
        artifacts: all that they were made from.
        alone: seconds that its runs would have taken if they had shared nothing.
    """
    yield from _stages(study, artifacts)
    taken = sum(artifact.seconds for artifact in artifacts)
    yield ""
    yield (
        f"{len(artifacts):,} artifacts took {taken:,.1f} s in all; every row by itself, from an empty cache, "
        f"{alone:,.1f} s."
    )
    for artifact in artifacts:
        if (artifact.path / COUNTS).is_file():
            yield ""
            yield _traces(artifact)
        if (artifact.path / AUDIT).is_file():
            yield ""
            yield _audit(artifact)
    yield ""
    yield from _alarms(study, artifacts)
    environments: dict[str, tuple[Environment, list[str]]] = {}
    for run in study.runs:
        environment = run.result.environment
        environments.setdefault(repr(environment), (environment, []))[1].append(run.short_id)
    for environment, runs in environments.values():
        yield ""
        yield _environment(environment, runs)


def _stages(study: Study, artifacts: Sequence[Artifact]) -> Iterator[str]:
    systems = {
        run.artifact.fingerprint: f"{row.label}, seed {run.result.seed}" for row in study.rows for run in row.runs
    }
    rows = [
        [
            artifact.stage,
            markdown(systems.get(artifact.fingerprint, "")),
            f"{artifact.seconds:,.1f}",
            f"{artifact.peak_bytes / 2**20:,.0f}",
            shortened(artifact.fingerprint),
        ]
        for artifact in artifacts
    ]
    heads = ["Stage", "System", "Seconds", "Peak memory of the process, MiB", "Artifact"]
    yield in_markdown(heads, rows, "left", "left", "right", "right", "left")


def _traces(artifact: Artifact) -> str:
    counts = json.loads((artifact.path / COUNTS).read_text("utf-8"))
    reasons = "; ".join(f"{markdown(reason)} {n:,}" for reason, n in sorted(counts["dropped"].items()))
    return (
        f"Traces {shortened(artifact.fingerprint)}: {counts['asked']:,} questions, {counts['traces']:,} kept, "
        f"{sum(counts['dropped'].values()):,} dropped{f' ({reasons})' if reasons else ''}. Pieces of evidence in their "
        f"prompts: {counts['pieces_kept']:,} kept, {counts['pieces_dropped']:,} dropped for the token budget. Every "
        f"answer was looked up in the data, and {counts['audited']} questions were put again without all that they may "
        f"not see: no leak.{_usage(counts['usage'])}"
    )


def _usage(usage: dict[str, Any] | None) -> str:
    """What a teacher that is a model took; empty for one that is none."""
    if usage is None:
        return ""
    price = usage["price"] + usage["remembered_price"]
    return (
        f" The teacher was asked {usage['requests']:,} times ({usage['retries']:,} retries, {usage['remembered']:,} "
        f"answers known from before), read {usage['prompt_tokens']:,} tokens and wrote {usage['completion_tokens']:,}; "
        f"all answers together cost {price:,.2f}."
    )


def _audit(artifact: Artifact) -> str:
    found = json.loads((artifact.path / AUDIT).read_text("utf-8"))
    return (
        f"Leakage gate {shortened(artifact.fingerprint)}: {found['lists']:,} candidate lists and {found['edges']:,} "
        f"edges of their evidence were looked up in the data, and {found['rewritten']:,} questions were put again with "
        "every held-out interaction replaced: no leak."
    )


def _alarms(study: Study, artifacts: Sequence[Artifact]) -> Iterator[str]:
    alarms = [
        f"- **Alarm** in {artifact.stage} {shortened(artifact.fingerprint)}: {markdown(alarm)}"
        for artifact in artifacts
        if (artifact.path / LOG).is_file()
        for alarm in json.loads((artifact.path / LOG).read_text("utf-8"))["alarms"]
    ]
    alarms += [
        f"- **Alarm** in {markdown(row.label)}, run {run.short_id}: {alarm}"
        for row in study.rows
        for run in row.runs
        if (alarm := _unanswered(run))
    ]
    yield from alarms or ["No alarms."]


def _unanswered(run: Run) -> str:
    """What to say of a run that gave many of the items taken no valid answer; empty of every other.

    They rank last. Where form is lost on the best candidates alone, ValidRatio stays high, and HR@1 falls below chance.
    """
    path = run.artifact.path / CASES
    if not path.is_file():
        return ""
    cases = pq.read_table(path, columns=["user_id", "item_id", "valid"])
    users = run.result.users
    taken = set(zip(users.user_ids, users.item_ids, strict=True))
    invalid = np.logical_not(cases["valid"].to_numpy())
    lost = sum(
        (user, item) in taken
        for user, item in zip(*(cases[key].filter(invalid).to_pylist() for key in ("user_id", "item_id")), strict=True)
    )
    if lost <= _LOST * len(users):
        return ""
    shares = f"{100 * lost / len(users):.1f} % of the items taken, and {100 * invalid.mean():.1f} % of all candidates"
    return f"{shares}, got no valid answer and rank last: HR@1 measures form here as much as content."


def _environment(e: Environment, runs: Sequence[str]) -> str:
    commit = f"git {e.commit}{', with uncommitted changes' if e.dirty else ''}" if e.commit else "no git checkout"
    packages = ", ".join(f"{name} {version}" for name, version in e.packages.items())
    machine = f"{e.cpu}, {e.cores} cores, {e.memory_gib:.1f} GiB, {e.gpu or 'no GPU in use'}"
    text = f"{commit}; {machine}; {e.platform}; Python {e.python}; {packages}."
    return f"Made by {markdown(text)} Runs: {', '.join(runs)}."
