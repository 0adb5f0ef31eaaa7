"""A ranking in blocks of users: a long evaluation is asked block by block, here or elsewhere, and joined again.

The blocks are the same whoever asks, and no batch of the model holds questions of two: so a block's numbers do not
depend on which process asked it, nor on what was asked before an interruption.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from r2rec_bench.core.types import Case, Choices, Cost, Ranking

_USERS = 64
"""In a block. Another number is another padding, and moves scores in their last digits."""
_ANSWERS, _CHOICES, _COST = "answers.parquet", "choices.parquet", "cost.json"


def blocks(users: int) -> list[range]:
    """The rows of each block of so many users, all but the last of one size."""
    return [range(start, min(start + _USERS, users)) for start in range(0, users, _USERS)]


def write_block(ranking: Ranking, folder: Path) -> None:
    """A block's ranking as files in `folder`; no digit is lost."""
    cases = [case for row in ranking.cases for case in row]
    answers = {
        "score": np.ravel(ranking.scores),
        "rating": np.ravel(ranking.ratings),
        "valid": np.ravel(ranking.valid),
        "prompt": pa.array([case.prompt for case in cases] or [None] * ranking.scores.size, pa.string()),
        "completion": pa.array([case.completion for case in cases] or [None] * ranking.scores.size, pa.string()),
    }
    pq.write_table(pa.table(answers), folder / _ANSWERS, compression="zstd")
    if ranking.choices is not None:
        chosen = {"order": np.ravel(ranking.choices.order), "share": np.ravel(ranking.choices.share)}
        pq.write_table(pa.table(chosen), folder / _CHOICES, compression="zstd")
    (folder / _COST).write_text(json.dumps(asdict(ranking.cost)), encoding="utf-8")


def read_block(folder: Path, users: int) -> Ranking:
    """The ranking of so many users that `write_block` put into `folder`."""
    answers = pq.read_table(folder / _ANSWERS)
    shape = (users, len(answers) // users)
    prompts, completions = answers["prompt"].to_pylist(), answers["completion"].to_pylist()
    cases = [Case(*texts) for texts in zip(prompts, completions, strict=True)] if prompts[0] is not None else []
    choices = None
    if (folder / _CHOICES).exists():
        chosen = pq.read_table(folder / _CHOICES)
        order, share = (chosen[name].to_numpy().reshape(users, -1, shape[1]) for name in ("order", "share"))
        choices = Choices(order, share)
    return Ranking(
        scores=answers["score"].to_numpy().reshape(shape),
        ratings=answers["rating"].to_numpy().reshape(shape),
        valid=answers["valid"].to_numpy(zero_copy_only=False).reshape(shape),
        cost=Cost(**json.loads((folder / _COST).read_text(encoding="utf-8"))),
        cases=tuple(tuple(cases[start : start + shape[1]]) for start in range(0, len(cases), shape[1])),
        choices=choices,
    )


def joined(rankings: Sequence[Ranking]) -> Ranking:
    """The rankings of all blocks, at least one, as a single one; seconds add up, whoever's they were."""
    choices = [ranking.choices for ranking in rankings if ranking.choices is not None]
    return Ranking(
        scores=np.concatenate([ranking.scores for ranking in rankings]),
        ratings=np.concatenate([ranking.ratings for ranking in rankings]),
        valid=np.concatenate([ranking.valid for ranking in rankings]),
        cost=sum((ranking.cost for ranking in rankings), Cost()),
        cases=tuple(row for ranking in rankings for row in ranking.cases),
        choices=Choices(np.concatenate([c.order for c in choices]), np.concatenate([c.share for c in choices]))
        if choices
        else None,
    )
