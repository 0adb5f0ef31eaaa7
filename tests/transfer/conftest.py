"""Three small domains, one of them without ratings, and a study of them that is interrupted and gone on with."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import Result

from r2rec_bench import pipeline as under_test
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.core.types import Ranking
from r2rec_bench.core.watch import Silent
from r2rec_bench.data.datasets import Datasets
from r2rec_bench.data.sources.synthetic import Synthetic, SyntheticConfig
from r2rec_bench.pipeline import Pipeline
from r2rec_bench.report.tried import Tried
from r2rec_bench.training.sft import Sft
from r2rec_bench.transfer.cells import Cell
from r2rec_bench.transfer.definition import Planned, read_transfer
from r2rec_bench.transfer.run import run
from tests.worlds import Place, write_tiny

CHANGES = {
    "data": {"items": 40, "interactions": 8},
    "otherwise": "synthetic",
    "candidates": {"n": 4, "users": 40},
    "prompts": {"use": "direct"},
    "queries": {"n": 101},
    "stages": [{"use": "sft", "lr": 3e-3, "batch_size": 32}],
    "metrics": ["hr"],
}
STUDY = """
extends: tiny.yaml
name: worlds
question: Does what was learnt in one world help in another?
domains:
  movies: {data: {use: synthetic, users: 60, items: 40, interactions: 8, seed: 1}}
  shop: {data: {use: folder, name: shop}, note: a |stand-in| without ratings}
  electronics: {data: {use: synthetic, domain: electronics, users: 60, items: 40, interactions: 8, seed: 3}}
few_shot: {users: [5], questions: 8, stage: {use: sft, lr: 1.0e-3, batch_size: 16}}
change: {queries.n: 100}
"""
STOPPED = 2
"""The training in which the command is interrupted."""


class Folder(Place):
    """Where a study's files, data and cache lie."""

    @property
    def store(self) -> ArtifactStore:
        return ArtifactStore(self.folder / "cache" / "artifacts")

    def planned(self, *overrides: str) -> Planned:
        return read_transfer(self.folder / "worlds.yaml", overrides)


@dataclass
class Carried(Folder):
    """What a whole study left behind.

    Attributes:
        interrupted: how the command ended that was stopped in the middle of a training.
        result: how the same command ended, given again.
        trainings: how often a training was begun, both times together.
        rankings: what the models answered, in the order in which they were asked.
    """

    interrupted: Result = field(init=False)
    result: Result = field(init=False)
    trainings: int = 0
    rankings: list[Ranking] = field(default_factory=list)

    @property
    def report(self) -> Path:
        return self.folder / "reports" / "worlds"

    def done(self) -> dict[tuple[str, str], Tried[Cell]]:
        """Every cell by row and target, from the store."""
        found = run(self.planned(), self.store, Silent(), lambda *_: None)
        return {(one.cell.label, one.cell.target): one for one in found}

    def pipelines(self) -> dict[str, Pipeline]:
        datasets = Datasets(Silent())
        experiments = self.planned().experiments.items()
        return {name: Pipeline(one, self.store, Silent(), datasets) for name, one in experiments}


def written(folder: Path) -> Folder:
    """A folder with everything that a study needs."""
    write_tiny(folder, **CHANGES)
    (folder / "worlds.yaml").write_text(STUDY)
    world = Synthetic(SyntheticConfig(domain="books", users=60, items=40, interactions=8, seed=2)).load()
    log = world.log
    shop = folder / "data" / "shop"
    shop.mkdir(parents=True)
    columns = {"user_id": np.array(log.user_ids)[log.user], "item_id": np.array(log.item_ids)[log.item]}
    nothing = np.full(len(log), np.nan, dtype=np.float32)
    pd.DataFrame({**columns, "rating": nothing, "timestamp": log.time}).to_parquet(shop / "interactions.parquet")
    titles = pd.DataFrame({"item_id": log.item_ids, "title": world.catalog.titles})
    titles.to_parquet(shop / "items.parquet")
    return Folder(folder)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return written(tmp_path_factory.mktemp("transfer-files"))


@pytest.fixture(scope="session")
def carried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Carried]:
    made = Carried(written(tmp_path_factory.mktemp("transfer")).folder)
    learn, measure = Sft.run, under_test.measured

    def stopped(self: Sft, *rest):
        made.trainings += 1
        if made.trainings == STOPPED:
            raise KeyboardInterrupt
        return learn(self, *rest)

    def kept(answered, *rest):
        made.rankings.append(answered.ranking)
        return measure(answered, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sft, "run", stopped)
        patch.setattr(under_test, "measured", kept)
        made.interrupted = made.invoke("transfer", made.folder / "worlds.yaml", "--out", made.folder / "reports")
        made.result = made.invoke("transfer", made.folder / "worlds.yaml", "--out", made.folder / "reports")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("R2REC_DATA", str(made.folder / "data"))
        yield made
