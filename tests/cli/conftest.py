"""One tiny experiment and an ablation of it, run once through the command line."""

import csv
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from r2rec_bench.cli.app import app
from r2rec_bench.llm.nano import NanoShape, new_model, new_tokenizer

EXPERIMENT = """
name: tiny
question: Does it run?
seed: 0
data: {{use: synthetic, users: 120, items: 60, interactions: 12}}
split: leave_last_out
visibility: fold
candidates: {{negatives: uniform, n: 9, users: 50, fold: test}}
chains: {{use: closed_uniform, evidence: bundle, order: forward, window: 10, n: 2}}
prompts: {{use: progressive_mask, budget: 128, wording: auto}}
teacher: template
queries: {{n: 1500, touched: 0.35, latest: 40}}
backbone: {{use: nano, weights: {weights}}}
stages:
  - {{use: sft, lr: 1.0e-2, batch_size: 32, epochs: 4}}
ranker: {{use: rating_interaction, max_thought_tokens: 16}}
metrics: [hr, ndcg, mrr, mae, valid_ratio]
baselines: [popularity, ease]
"""
ABLATION = """
extends: tiny.yaml
question: What does training do?
change:
  stages.sft.lr: 1.0e-9
"""


@dataclass
class Ran:
    """What one `r2rec run` left behind."""

    folder: Path
    result: Result = field(init=False)

    def invoke(self, *arguments: object) -> Result:
        # For this call alone: the environment is the whole session's, and other tests want its data.
        places = {"R2REC_CACHE": str(self.folder / "cache"), "R2REC_DATA": None}
        return CliRunner(env=places).invoke(app, [str(argument) for argument in arguments])

    @property
    def report(self) -> str:
        return (self.folder / "reports" / "tiny+untaught" / "report.md").read_text("utf-8")

    @property
    def run_ids(self) -> dict[str, str]:
        """By system."""
        with (self.folder / "reports" / "tiny+untaught" / "results.csv").open(encoding="utf-8") as file:
            return {row["system"]: row["run_id"] for row in csv.DictReader(file)}


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("cli")
    weights = folder / "nano"
    new_model(NanoShape(width=32, layers=1, heads=2), seed=0).save_pretrained(weights)
    new_tokenizer().save_pretrained(weights)
    (folder / "tiny.yaml").write_text(EXPERIMENT.format(weights=weights))
    (folder / "untaught.yaml").write_text(ABLATION)
    ran = Ran(folder)
    ran.result = ran.invoke("run", folder / "tiny.yaml", folder / "untaught.yaml", "--out", folder / "reports")
    return ran
