"""A calibration small enough for a test, and results with hits of one's own choice."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import Result

from r2rec_bench.core.environment import capture
from r2rec_bench.core.seeds import derive
from r2rec_bench.core.store import Artifact
from r2rec_bench.evaluation.results import R2REC, Run, RunResult, UserTable
from r2rec_bench.report.study import Row
from r2rec_bench.testing.models import small_nano
from tests.worlds import Place, write_tiny

ABLATION = "extends: tiny.yaml\nquestion: What do chains add?\nchange: {chains.use: none}\n"
CALIBRATION = """
extends: tiny.yaml
name: known
question: Is it found?
seeds: 2
change: {queries.n: 64, untrained: false, baselines: []}
simulated:
  repeats: 20
  worlds: [{users: 50, seeds: 1}, {users: 50, seeds: 1, seed_sd: 0.02, shared: 1.0}]
again:
  rounds: 3
  data: {world: {use: synthetic, users: 60, items: 60, interactions: 8}}
  systems:
    bpr: {runs: 5, baseline: {use: bpr, factors: 4, iterations: 2}}
    ease: {runs: 4, baseline: ease}
planted:
  data: {use: synthetic, users: 60, items: 60, interactions: 8, taste: 0, skew: 0}
  peer_effect: [0, 100]
  ablations: [no-chains.yaml]
"""


class Folder(Place):
    """Where a calibration's files and cache lie."""

    @property
    def file(self) -> Path:
        return self.folder / "known.yaml"

    def calibrate(self, out: str) -> Result:
        return self.invoke("calibrate", self.file, "--seeds", 1, "--out", self.folder / out, "--quiet")

    def report(self, out: str) -> dict[str, bytes]:
        """Every file of a report."""
        return {file.name: file.read_bytes() for file in (self.folder / out / "known").iterdir()}

    @property
    def artifacts(self) -> set[Path]:
        return set((self.folder / "cache" / "artifacts").glob("*/*"))


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A calibration that nobody has carried out yet; not to be written to."""
    folder = tmp_path_factory.mktemp("calibration")
    write_tiny(
        folder,
        data={"items": 60, "interactions": 8},
        otherwise="synthetic",
        candidates={"n": 4, "users": 30},
        prompts={"use": "direct"},
        queries={"n": 101},
        backbone={"weights": str(small_nano().path)},
        stages=[{"use": "sft", "lr": 1e-2, "batch_size": 32}],
        metrics=["hr"],
    )
    (folder / "no-chains.yaml").write_text(ABLATION)
    (folder / "known.yaml").write_text(CALIBRATION)
    return Folder(folder)


@pytest.fixture(scope="session")
def carried_out(written: Folder) -> Folder:
    """The same, carried out once."""
    result = written.calibrate("first")
    assert result.exit_code == 0, result.output
    return written


@pytest.fixture(scope="session")
def row_with() -> Callable[[str, np.ndarray], Row]:
    """A row of runs with these hits, each 0 or 1, float64 (users, seeds)."""
    environment = capture()

    def row(name: str, hits: np.ndarray) -> Row:
        n = len(hits)
        users = tuple(f"u{user}" for user in range(n))
        zeros = np.zeros(n, dtype=np.int64)
        runs: list[Run] = []
        for seed, column in enumerate(hits.T):
            table = UserTable(users, users, zeros + 1, zeros, zeros, zeros / 1.0, ((),) * n, n, {"hr@1": column})
            run_id = f"{derive(seed, name):016x}"
            result = RunResult(run_id, name, R2REC, seed, "made up.", (), environment, users=table)
            runs.append(Run(result, Artifact(Path(name), run_id, "evaluation", 0.0, 0, False)))
        return Row(name, tuple(runs), ablation=True)

    return row
