"""What an executor says of its jobs reaches the cells that they are of."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from r2rec_bench.core.loading import load
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.core.watch import Silent
from r2rec_bench.executors.base import Ended, Job
from r2rec_bench.experiment import Experiment
from r2rec_bench.matrix.plan import Cell
from r2rec_bench.matrix.run import elsewhere

MATRIX = Path(__file__).parents[2] / "experiments" / "matrix.yaml"


class LastFails:
    """Ends jobs the last first, which fails, and does none."""

    def run(self, jobs: Sequence[Job]) -> Iterator[Ended]:
        last = len(jobs) - 1
        for index in range(last, -1, -1):
            yield Ended(index, 1.0, f"{jobs[index].title} is no good" if index == last else "")


class Heard(Silent):
    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.steps: list[tuple[int, int]] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def progress(self, done: int, total: int, figures: object) -> None:
        self.steps.append((done, total))


def test_a_failure_is_that_of_its_cell(tmp_path: Path) -> None:
    experiment = load(MATRIX, Experiment, []).value
    cells = [Cell(("a",), (), experiment), Cell(("b",), (), None, "no such pair"), Cell(("c",), (), experiment)]
    heard = Heard()
    assert elsewhere(cells, ArtifactStore(tmp_path), heard, LastFails()) == {2: "c is no good"}
    assert heard.warnings == ["c failed: c is no good"]
    assert heard.steps == [(1, 2), (2, 2)]
