"""Rows made by hand: what a system ranked each user's positive, and what it cost."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from r2rec_bench.core.environment import Environment
from r2rec_bench.core.fingerprint import digest
from r2rec_bench.core.store import Artifact
from r2rec_bench.core.types import Cost
from r2rec_bench.evaluation.results import RunResult, StageCost, UserTable
from r2rec_bench.report.study import Row

MakeRow = Callable[..., Row]
ENVIRONMENT = Environment("c" * 40, False, {"numpy": "2"}, "3.11.7", "Linux x86_64", "a CPU", 2, 8.0, None)


@pytest.fixture
def make_row(tmp_path: Path) -> MakeRow:
    def make(
        system: str, kind: str, ranks: list[int], *, group: str = "", mae: float = float("nan"), users: str = "u"
    ) -> Row:
        rank = np.array(ranks, dtype=np.int64)
        metrics = {f"hr@{k}": (rank <= k).astype(np.float64) for k in (1, 5)} | {"mae": np.full(len(rank), mae)}
        table = UserTable(tuple(f"{users}{k}" for k in range(len(rank))), ("i",) * len(rank), rank, metrics)
        run_id = digest([system, group])[:16]
        stages = (
            StageCost("traces", Cost(2.0)),
            StageCost("sft", Cost(3.0)),
            StageCost("evaluation", Cost(1.5, 70, 7)),
        )
        chosen = stages if kind == "r2rec" else stages[-1:]
        result = RunResult(run_id, system, kind, 0, "the protocol.", chosen, ENVIRONMENT, table)
        return Row(group, result, Artifact(tmp_path, run_id * 4, kind, 1.0, 2**20, cached=True))

    return make
