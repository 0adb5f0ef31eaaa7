"""Rows made by hand: what a system ranked each user's positive, and what it cost."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from r2rec_bench.core.environment import Environment
from r2rec_bench.core.fingerprint import digest
from r2rec_bench.core.store import Artifact
from r2rec_bench.core.types import Cost
from r2rec_bench.evaluation.results import Run, RunResult, StageCost, UserTable
from r2rec_bench.report.study import Row

MakeRow = Callable[..., Row]
ENVIRONMENT = Environment("c" * 40, False, {"numpy": "2"}, "3.11.7", "Linux x86_64", "a CPU", 2, 8.0, None)


@pytest.fixture
def make_row(tmp_path: Path) -> MakeRow:
    def make(
        system: str,
        kind: str,
        *ranks: list[int],
        group: str = "",
        ablation: bool = False,
        artifact: Artifact | None = None,
        mae: float = float("nan"),
        users: str = "u",
        metrics: dict[str, list[float]] | None = None,
        tokens: tuple[int, int] = (70, 7),
        protocol: str = "the protocol.",
        **seen: Any,
    ) -> Row:
        """A row with a run for each list of ranks, under the seeds 0, 1 and so on."""

        def run(seed: int) -> Run:
            rank = np.array(ranks[seed], dtype=np.int64)
            n = len(rank)
            measured = {f"hr@{k}": (rank <= k).astype(np.float64) for k in (1, 5)} | {"mae": np.full(n, mae)}
            measured |= {name: np.array(values, np.float64) for name, values in (metrics or {}).items()}
            keys = {
                "user_seen": np.arange(n),
                "item_seen": np.full(n, 7),
                "item_share": np.zeros(n),
                "top_ids": (("i",),) * n,
                "offered": 4,
            }
            table = UserTable(
                tuple(f"{users}{k}" for k in range(n)), ("i",) * n, rank, metrics=measured, **(keys | seen)
            )
            run_id = digest([system, group, *([seed] if seed else [])])[:16]
            stages = (
                StageCost("traces", Cost(2.0)),
                StageCost("sft", Cost(3.0)),
                StageCost("evaluation", Cost(1.5, *tokens)),
            )
            chosen = stages if kind == "r2rec" else stages[-1:]
            result = RunResult(run_id, system, kind, seed, protocol, chosen, ENVIRONMENT, table)
            return Run(result, artifact or Artifact(tmp_path, run_id * 4, kind, 1.0, 2**20, cached=True))

        return Row(group, tuple(map(run, range(len(ranks)))), ablation)

    return make
