"""Three worked examples of reasoning: a hit, a miss, and a user whom R2Rec served better than the best baseline."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from r2rec_bench.core.seeds import generator
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.core.types import BoolArray
from r2rec_bench.explain import Explainer, Explanation
from r2rec_bench.report.study import Row, Study
from r2rec_bench.report.table import number, signed
from r2rec_bench.report.text import markdown, one_line


@dataclass(frozen=True, slots=True)
class Example:
    """An explanation, and why this user was chosen."""

    heading: str
    why: str
    explanation: Explanation


def worked_examples(store: ArtifactStore, study: Study) -> Iterator[Example]:
    """At most three, each drawn by the run's seed among all users of its kind, so that nobody picked it."""
    reference = study.reference
    if reference is None:
        return
    explainer = Explainer(store, reference.artifact)
    users = reference.result.users
    hit = users.rank == 1
    other = _ranks_of(study.best_baseline, reference)
    kinds: list[tuple[str, BoolArray]] = [("A hit", hit), ("A miss", ~hit)]
    if other is not None:
        kinds.insert(0, ("Better than the best baseline", hit & (other > 1)))
    taken = np.zeros(len(users), np.bool_)
    for heading, mask in kinds:
        rows = np.flatnonzero(mask & ~taken)
        if not len(rows):
            continue
        row = int(generator(reference.result.seed, "example", reference.result.run_id, heading).choice(rows))
        taken[row] = True
        under = f" under seed {reference.result.seed}" if len(reference.runs) > 1 else ""
        why = f"One of {int(mask.sum()):,} such users of {len(users):,}{under}, drawn by the seed."
        if other is not None and study.best_baseline is not None:
            why += f" {study.best_baseline.label} ranks what the user took {other[row]}."
        # Of a hit the item is the one ranked first; of a miss what was ranked first instead is explained.
        yield Example(heading, why, explainer.explain(users.user_ids[row]))


def _ranks_of(row: Row | None, reference: Row) -> np.ndarray | None:
    """Ranks of another row's positives in the order of the reference's users; none where they are not the same."""
    if row is None or row.result.users.user_ids != reference.result.users.user_ids:
        return None
    return row.result.users.rank if row.result.users.item_ids == reference.result.users.item_ids else None


def example_lines(example: Example) -> Iterator[str]:
    """The example in Markdown."""
    e = example.explanation
    yield f"### {example.heading}: user {markdown(e.user_id)}, “{markdown(e.title)}”"
    yield ""
    yield markdown(example.why)
    yield ""
    yield markdown(e.background)
    yield ""
    for step in e.steps:
        yield f"- {markdown(step.fact)}"
        if step.thought is not None:
            yield f"  - Thought: weight {signed(step.thought.weight)}, forecast {step.thought.forecast}."
    if e.dropped:
        yield f"- {e.dropped} more did not fit the token budget."
    yield ""
    yield (
        f"**Verdict: {e.verdict}**, score {number(e.score, 4)} (`{e.ranker}`), ranked {e.rank} of {e.candidates}. "
        f"What the user took: “{markdown(e.positive_title)}”, ranked {e.positive_rank}."
    )
    yield ""
    yield f"As written by the model: {_code(e.completion)}"


def _code(text: str) -> str:
    """A code span; its fence is longer than any run of backticks in the text."""
    flat = one_line(text)
    fence = "`" * (1 + max(map(len, re.findall("`+", flat)), default=0))
    return f"{fence} {flat} {fence}"
