"""The suite's measurement: the same cells both ways, each way from an empty cache."""

from pathlib import Path

import pytest

from r2rec_bench.bench import suite
from r2rec_bench.bench.base import times
from r2rec_bench.core.loading import load
from r2rec_bench.core.paths import cache_root
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.experiment import Experiment

EXPERIMENT = Path(__file__).parents[2] / "experiments" / "quickstart.yaml"


def test_every_ablation_is_asked_of_both(monkeypatch: pytest.MonkeyPatch):
    first: list[Experiment] = []
    alone: list[Experiment] = []

    def r2rec(command: str, slice_: str, *rest: str, **environment: str) -> None:
        assert (command, *map(Path, rest[:-5])) == ("run", *suite.ABLATIONS)
        assert rest[-5:-2] == ("--workers", "2", "--quiet")
        assert not list(Path(environment["R2REC_CACHE"]).iterdir())
        first.append(load(Path(slice_), Experiment).value)

    monkeypatch.setattr(suite, "r2rec", r2rec)
    monkeypatch.setattr(suite, "_alone", alone.append)
    wall, processors = suite.measure(0.1)
    warm, *cells = alone
    assert [warm, cells[0]] == first * 2
    assert len(suite.ABLATIONS) < len(cells) == len({cell.model_dump_json() for cell in cells})
    assert all(cell.candidates.users == 3 and not cell.baselines for cell in cells)
    assert wall.name == f"the experiment and {len(cells) - 1} ablations, 2 at a time"
    assert (wall.target, processors.target) == (times(2), None)


def test_a_cell_alone_is_its_last_row(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("R2REC_CACHE", "")
    seen: list[Path] = []

    class Last:
        def __init__(self, cell: Experiment, store: ArtifactStore, *_: object) -> None:
            seen.append(store.root)

        def last(self) -> None:
            seen.append(cache_root())

    monkeypatch.setattr(suite, "Pipeline", Last)
    suite._last(load(EXPERIMENT, Experiment).value, tmp_path)
    assert seen == [tmp_path, tmp_path]
