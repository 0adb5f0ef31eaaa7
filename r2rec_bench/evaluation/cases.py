"""What a model read and wrote about each candidate, stored beside its result."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from r2rec_bench.core.types import Candidates, InteractionLog, Ranking


def write_cases(ranking: Ranking, candidates: Candidates, log: InteractionLog, path: Path) -> None:
    """One row per candidate under original ids: score, whether the answer is valid, prompt and completion.

    Args:
        ranking: with a case per candidate.
        candidates: the lists it ranks, (q, c).
        log: the log whose indices they use.
        path: the parquet file.
    """
    width = candidates.items.shape[1]
    cases = [case for row in ranking.cases for case in row]
    table = {
        "user_id": [log.user_ids[query.user] for query in candidates.queries for _ in range(width)],
        "item_id": [log.item_ids[item] for item in candidates.items.ravel()],
        "score": np.ravel(ranking.scores),
        "valid": np.ravel(ranking.valid),
        "prompt": [case.prompt for case in cases],
        "completion": [case.completion for case in cases],
    }
    pq.write_table(pa.table(table), path, compression="zstd")
