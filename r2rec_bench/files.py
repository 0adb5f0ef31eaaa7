"""What the files of artifacts are called: the pipeline writes them, explanations and reports read them."""

from __future__ import annotations

import json
from pathlib import Path

CANDIDATES = "candidates.parquet"
CASES = "cases.parquet"
"""What a model read and wrote about each candidate; of a model without texts, its scores alone."""
TRACES = "traces.parquet"
COUNTS = "counts.json"
"""What became of the training questions."""
AUDIT = "audit.json"
CONTAMINATION = "contamination.json"
"""What the backbone knew of the data set."""
ASKING = "asking.json"
LOG = "log.json"
"""A training stage's log and alarms."""
MODEL = "model"


def write_json(path: Path, value: object) -> None:
    """`value` as indented JSON."""
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
