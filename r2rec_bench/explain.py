"""One recommendation explained: the evidence with titles, the model's thoughts, its verdict, and where that led.

The question is put again from the stored data, candidates and settings, so that the evidence can be told in words
whatever wording the model itself was asked in; what the model wrote is read from the stored run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from r2rec_bench.asking import Asking
from r2rec_bench.core.config import validate
from r2rec_bench.core.errors import InputError, R2RecError, nearest
from r2rec_bench.core.manifest import read_manifest
from r2rec_bench.core.store import Artifact, ArtifactStore
from r2rec_bench.core.texts import Reading, Thought
from r2rec_bench.core.types import BoolArray, FloatArray, Int64Array
from r2rec_bench.data import candidates as candidate_lists
from r2rec_bench.data import store as dataset_store
from r2rec_bench.evaluation.base import Told, rankers
from r2rec_bench.evaluation.results import RunResult, UserTable
from r2rec_bench.files import ASKING, CANDIDATES, CASES
from r2rec_bench.prompts.base import Asked
from r2rec_bench.prompts.verbose import Verbose

_WORDS = Verbose()
_HISTORY = 8
"""Latest own interactions shown."""
_AT_ONCE = 64
"""Users whose answers are in memory at once."""


@dataclass(frozen=True, slots=True)
class ExplainedStep:
    """A piece of evidence in words, and what the model thought about it; None where it wrote no such thought."""

    fact: str
    thought: Thought | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a candidate got its score.

    Attributes:
        run_id: the run explained.
        system: its name in tables.
        protocol: of the run, in a sentence.
        ranker: which reading of the answer gives the score.
        user_id: original id.
        item_id: original id of the candidate explained.
        title: of the candidate; hostile text, as are all words of the evidence.
        background: what the user did last, and how the candidate is known.
        steps: evidence and thoughts, in the order of revelation.
        dropped: pieces of evidence left out to fit the token budget.
        reading: the model's completion, parsed.
        verdict: the answer in words.
        completion: as the model wrote it.
        score: higher is better; NaN where the answer was invalid.
        rank: of this candidate, 1 = best, ties lose.
        positive_title: what the user took next.
        positive_rank: where the model put that.
        candidates: how many were ranked.
    """

    run_id: str
    system: str
    protocol: str
    ranker: str
    user_id: str
    item_id: str
    title: str
    background: str
    steps: tuple[ExplainedStep, ...]
    dropped: int
    reading: Reading
    verdict: str
    completion: str
    score: float
    rank: int
    positive_title: str
    positive_rank: int
    candidates: int


def explain(store: ArtifactStore, run: str, user: str, item: str | None = None) -> Explanation:
    """The explanation of one candidate of one user.

    Args:
        store: where the run and what it was made from are kept.
        run: its id, or the beginning of it.
        user: original id.
        item: original id of one of the user's candidates; the one ranked first when none.

    Raises:
        InputError: no such run, user or candidate, or a run without a language model.
    """
    return Explainer(store, store.find(run)).explain(user, item)


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a run stored of one user, by candidate in the order of the list, (c,).

    Attributes:
        item_ids: original ids.
        scores: float64, higher is better, NaN where the answer was invalid.
        valid: bool, whether the answer could be read.
        prompts: what was read; empty texts of a system without any.
        completions: what was written.
    """

    item_ids: tuple[str, ...]
    scores: FloatArray
    valid: BoolArray
    prompts: tuple[str, ...]
    completions: tuple[str, ...]

    @property
    def ranks(self) -> Int64Array:
        """Rank of each candidate, 1 = best; ties lose, and an invalid answer loses every tie."""
        known = np.where(np.isnan(self.scores), -np.inf, self.scores)
        return (known[None, :] >= known[:, None]).sum(axis=1)

    @classmethod
    def of(cls, table: pa.Table) -> Answers:  # pyright: ignore[reportUnknownParameterType]  pyarrow has no types
        """From the lines of a stored file that are one user's."""
        return cls(
            item_ids=tuple(table["item_id"].to_pylist()),
            scores=table["score"].to_numpy(),
            valid=table["valid"].to_numpy(),
            prompts=tuple(table["prompt"].to_pylist()),
            completions=tuple(table["completion"].to_pylist()),
        )


def stored_answers(folder: Path, width: int) -> Iterator[Answers]:
    """The answers of a run, user by user in the order of its table, without all of them in memory at once.

    Args:
        folder: of the run.
        width: candidates of a user.
    """
    for batch in pq.ParquetFile(folder / CASES).iter_batches(batch_size=width * _AT_ONCE):
        table = pa.Table.from_batches([batch])
        yield from (Answers.of(table.slice(start, width)) for start in range(0, len(table), width))


class Explainer:
    """Explains any number of recommendations of one run.

    Raises:
        InputError: the artifact is no run of a language model.
    """

    def __init__(self, store: ArtifactStore, artifact: Artifact) -> None:
        settings = artifact.path / ASKING
        if not settings.is_file():
            raise InputError(
                f"{artifact.stage} {artifact.path.name} is no run of a language model; only those write thoughts"
            )
        self._folder = artifact.path
        ranker = dict(read_manifest(artifact.path).recipe.settings["ranker"])
        self._ranker_name: str = ranker.pop("use")
        kind = rankers.get(self._ranker_name)
        self._ranker = kind(validate(kind.config_type(), ranker, str(settings)))
        self._result = RunResult.load(artifact.path)
        self._asking = validate(Asking, json.loads(settings.read_text("utf-8")), str(settings))
        data, lists, *_ = store.inputs(artifact)
        self._dataset = dataset_store.read(data.path)
        self._candidates = candidate_lists.read(lists.path / CANDIDATES, self._dataset.log)
        self._asker = self._asking.asker(self._dataset)

    @property
    def users(self) -> UserTable:
        """Whom the run asked about, row by row."""
        return self._result.users

    def questions(self, row: int) -> list[Asked]:
        """The questions about all candidates of a row's user, put again, (c,)."""
        return self._asker.prompts(self._candidates.queries[row], self._candidates.items[row].tolist())

    def told(self, asked: Sequence[Asked], answers: Answers, column: int) -> Told:
        """What the model read and said about a candidate.

        Args:
            asked: the user's questions.
            answers: what the run stored of the user.
            column: the candidate.

        Raises:
            R2RecError: the question can no longer be put as it was: the code has changed since the run.
        """
        completion, reader = answers.completions[column], self._asking.reader
        told = self._ranker.retold(asked, column, completion, reader, self._asker.count)
        if told.asked.prompt.content != answers.prompts[column]:
            raise R2RecError(
                f"run {self._result.run_id}: the question about item '{answers.item_ids[column]}' is put differently "
                "by this code than by the code that made the run. Run the experiment again, or check out "
                f"{self._result.environment.commit or 'the version that made it'}."
            )
        return told

    def facts(self, told: Told) -> tuple[str, ...]:
        """The evidence in words, step by step."""
        target, catalog = told.asked.question.target, self._dataset.catalog
        return tuple(_WORDS.piece(step, target, catalog) for step in told.asked.steps)

    def user_id(self, user: int) -> str:
        """The original id of anybody in the data."""
        return self._dataset.log.user_ids[user]

    def background(self, told: Told) -> str:
        """What the user did last, and how the candidate is known."""
        question = told.asked.question
        return _WORDS.head(question.visible, question.target, self._dataset.catalog, _HISTORY)

    def explain(self, user: str, item: str | None = None) -> Explanation:
        """Like the function of that name.

        Raises:
            InputError: no such user, or no such candidate of that user.
            R2RecError: the question can no longer be put as it was: the code has changed since the run.
        """
        row = self._row(user)
        answers = Answers.of(pq.read_table(self._folder / CASES, filters=[("user_id", "==", user)]))
        ranks, items = answers.ranks, self._candidates.items[row].tolist()
        known = np.where(np.isnan(answers.scores), -np.inf, answers.scores)
        column = int(known.argmax()) if item is None else self._column(user, item, items)
        told, positive = self.told(self.questions(row), answers, column), int(self._candidates.positive[row])
        thoughts = {thought.step: thought for thought in told.reading.thoughts}
        titles = self._dataset.catalog.titles
        return Explanation(
            run_id=self._result.run_id,
            system=self._result.system,
            protocol=self._result.protocol,
            ranker=self._ranker_name,
            user_id=user,
            item_id=answers.item_ids[column],
            title=titles[items[column]],
            background=self.background(told),
            steps=tuple(
                ExplainedStep(fact, thoughts.get(step.number))
                for step, fact in zip(told.asked.steps, self.facts(told), strict=True)
            ),
            dropped=told.asked.prompt.dropped,
            reading=told.reading,
            verdict=told.verdict,
            completion=answers.completions[column],
            score=float(answers.scores[column]),
            rank=int(ranks[column]),
            positive_title=titles[items[positive]],
            positive_rank=int(ranks[positive]),
            candidates=len(items),
        )

    def _row(self, user: str) -> int:
        users = self.users.user_ids
        if user not in users:
            near = nearest(user, users)
            hint = f" Did you mean '{near}'?" if near else ""
            raise InputError(
                f"run {self._result.run_id} did not ask about user '{user}'.{hint} It asked about {len(users)} users, "
                f"e.g. {', '.join(users[:5])}; `r2rec explain {self._result.run_id}` lists them"
            )
        return users.index(user)

    def _column(self, user: str, item: str, items: list[int]) -> int:
        ids = [self._dataset.log.item_ids[index] for index in items]
        if item not in ids:
            raise InputError(f"item '{item}' is not among the candidates of user '{user}': {', '.join(ids)}")
        return ids.index(item)
