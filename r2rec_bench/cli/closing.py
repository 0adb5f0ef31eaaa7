"""A run's closing table for programs: `r2rec run --json`."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.report.markdown import write
from r2rec_bench.report.study import Row, Study
from r2rec_bench.report.synthetic import synthetic_note
from r2rec_bench.report.values import interval_of, metrics_of


def written_as_json(store: ArtifactStore, study: Study, out: Path, warnings: Sequence[str]) -> str:
    """Writes the report and says what is in its table.

    Returns:
        An object: name, question, protocol, report (its path), synthetic (a note; empty for real data), warnings,
        failed (reasons by name), and rows: label, system, runs (an id per seed), seconds, and of each metric mean, low
        and high (the 95 % interval), n and missing (users with and without a value). What is not defined is null.
    """
    path = write(store, study, out / study.name)
    told = {
        "name": study.name,
        "question": study.question,
        "protocol": study.protocol,
        "report": str(path),
        "synthetic": synthetic_note(store, study),
        "warnings": list(warnings),
        "failed": dict(study.failed),
        "rows": [_row(row) for row in study.rows],
    }
    return json.dumps(told, ensure_ascii=False, indent=2, allow_nan=False)


def _row(row: Row) -> dict[str, object]:
    metrics = {metric: asdict(interval_of(row, metric)) for metric in metrics_of(row)}
    return {
        "label": row.label,
        "system": row.result.system,
        "runs": [result.run_id for result in row.results],
        "seconds": sum(result.cost.seconds for result in row.results),
        "metrics": {
            metric: {name: value if math.isfinite(value) else None for name, value in numbers.items()}
            for metric, numbers in metrics.items()
        },
    }
