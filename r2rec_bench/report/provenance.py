"""What was run: every artifact behind the table, what it took, what became of the traces, and on which machine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from r2rec_bench.core.environment import Environment
from r2rec_bench.core.fingerprint import shortened
from r2rec_bench.core.store import Artifact
from r2rec_bench.files import AUDIT, COUNTS, LOG
from r2rec_bench.report.study import Study
from r2rec_bench.report.text import in_markdown, markdown


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
    yield from _alarms(artifacts)
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


def _alarms(artifacts: Sequence[Artifact]) -> Iterator[str]:
    alarms = [
        f"- **Alarm** in {artifact.stage} {shortened(artifact.fingerprint)}: {markdown(alarm)}"
        for artifact in artifacts
        if (artifact.path / LOG).is_file()
        for alarm in json.loads((artifact.path / LOG).read_text("utf-8"))["alarms"]
    ]
    yield from alarms or ["No alarms."]


def _environment(e: Environment, runs: Sequence[str]) -> str:
    commit = f"git {e.commit}{', with uncommitted changes' if e.dirty else ''}" if e.commit else "no git checkout"
    packages = ", ".join(f"{name} {version}" for name, version in e.packages.items())
    machine = f"{e.cpu}, {e.cores} cores, {e.memory_gib:.1f} GiB, {e.gpu or 'no GPU in use'}"
    text = f"{commit}; {machine}; {e.platform}; Python {e.python}; {packages}."
    return f"Made by {markdown(text)} Runs: {', '.join(runs)}."
