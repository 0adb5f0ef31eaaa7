"""What many rooms run end to end: one tiny experiment, and a folder in which to give commands."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from typer.testing import CliRunner, Result

from r2rec_bench.cli.app import app

EXPERIMENT: dict[str, Any] = {
    "name": "tiny",
    "question": "Does it run?",
    "seed": 0,
    "data": {"use": "synthetic", "users": 60, "items": 80, "interactions": 15, "seed": 3},
    "split": "leave_last_out",
    "visibility": "fold",
    "candidates": {"negatives": "uniform", "n": 9, "users": 20, "fold": "test"},
    "chains": {"use": "closed_uniform", "n": 2},
    "prompts": {"use": "progressive_mask", "budget": 128},
    "teacher": "template",
    "queries": {"n": 64, "touched": 0.35, "latest": 40},
    "backbone": {"use": "nano"},
    "stages": [
        {"use": "sft", "lr": 5e-3, "batch_size": 16},
        {"use": "grpo", "lr": 1e-3, "steps": 2, "prompts": 4, "group": 4, "max_completion": 48},
    ],
    "ranker": {"use": "rating_interaction"},
    "metrics": ["hr", "ndcg"],
    "baselines": ["popularity"],
}


def tiny(**changes: Any) -> dict[str, Any]:
    """The tiny experiment. A change takes the place of a value; a mapping, of those of its entries that it names."""
    changed = dict(EXPERIMENT)
    for key, value in changes.items():
        before = EXPERIMENT.get(key)
        changed[key] = {**before, **value} if isinstance(before, dict) and isinstance(value, dict) else value
    return changed


def write_tiny(folder: Path, **changes: Any) -> Path:
    """`tiny` as YAML, in a file of its name."""
    experiment = tiny(**changes)
    file = folder / f"{experiment['name']}.yaml"
    file.write_text(yaml.safe_dump(experiment, sort_keys=False), "utf-8")
    return file


def untimed(path: Path) -> list[dict[str, str]]:
    """A table's rows, all but what depends on the time."""
    with path.open(encoding="utf-8") as file:
        return [{key: text for key, text in row.items() if "second" not in key} for row in csv.DictReader(file)]


@dataclass
class Place:
    """A folder with experiments, reports and a cache, and maybe data, of its own."""

    folder: Path

    def invoke(self, *arguments: object, **environment: str | None) -> Result:
        """`r2rec` with these words, in this process."""
        # For this call alone: the environment is the whole session's, and other tests want its data.
        data = self.folder / "data"
        places = {"R2REC_CACHE": str(self.folder / "cache"), "R2REC_DATA": str(data) if data.is_dir() else None}
        return CliRunner(env=places | environment).invoke(app, [str(argument) for argument in arguments])
