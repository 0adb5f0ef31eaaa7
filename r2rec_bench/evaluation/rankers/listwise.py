"""The candidates of a query in one prompt, each behind a letter; the answer is a letter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from r2rec_bench.core.config import Tune
from r2rec_bench.core.errors import InputError
from r2rec_bench.core.resources import measure
from r2rec_bench.core.seeds import generator
from r2rec_bench.core.texts import Reading
from r2rec_bench.core.types import NONE_RATING, RATINGS, Case, Choices, Cost, FloatArray, Int32Array, Ranking
from r2rec_bench.evaluation.base import Progress, Ranker, Reader, Told, rankers
from r2rec_bench.evaluation.rankers.letters import Chooser
from r2rec_bench.evaluation.rankers.rating import PointwiseConfig
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.prompts.base import Asked
from r2rec_bench.prompts.list_wording import LETTERS, ListWording
from r2rec_bench.prompts.lists import Listing, listed
from r2rec_bench.prompts.wording import THINK_CLOSE


class ListwiseConfig(PointwiseConfig):
    """How a letter is got, and in how many orders the candidates are put."""

    by: Literal["likelihood", "generation"] = "likelihood"
    """`likelihood` reads the distribution over the letters at the answer's place; `generation` has one written."""
    permutations: Annotated[int, Field(ge=1, le=104), Tune(1, 8)] = 4
    """Orders in which each list is put; as many as candidates put every candidate in every place."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Of the orders; each query has its own."""
    recency: bool = False
    """Whether the prompt names the user's very latest item once more."""


@rankers.register("listwise")
class Listwise(Ranker):
    """Candidates by a letter chosen from a list of all of them, over several orders of the list.

    By likelihood the score is the mean over the orders of the log-probability of the candidate's letter among all
    letters; by generation it is the share of the orders in which the letter was written, so that candidates never
    chosen are equals, and equals lose to each other. Orders without a valid answer have no say; where none has one,
    the whole query is invalid. Thoughts about a list are free, whatever the strategy asks of thoughts otherwise, and
    no rating is predicted. Training goes by the questions of `rating_interaction`.

    Orders turn one shuffled circle of the candidates by equal parts, so that each candidate stands in places spread
    over the list, and preferences for places cancel: exactly where there are as many orders as candidates.

    Source: LLMRank, Hou et al. (arXiv 2305.08845), position bias and bootstrapping, section 3.3; the letters and the
    turned orders are this project's.
    """

    config: ListwiseConfig

    @property
    def outcomes(self) -> tuple[int, ...]:
        return (NONE_RATING, *RATINGS)

    def problem(self, reader: Reader, candidates: int) -> str:
        if reader.wording.lists is None:
            return (
                f"ranker listwise puts candidates as a list with letters, for which the wording "
                f"'{reader.wording.name}' has no words. Take a backbone that reads prompts.wording: verbose, "
                "e.g. hf:Qwen/Qwen2.5-0.5B-Instruct, or the ranker rating_interaction"
            )
        if candidates > len(LETTERS):
            return (
                f"ranker listwise: {candidates} candidates, but only {len(LETTERS)} letters. "
                f"Set candidates.n to {len(LETTERS) - 1} or less"
            )
        return ""

    def rank(
        self, model: LanguageModel, asked: Sequence[Sequence[Asked]], reader: Reader, progress: Progress
    ) -> Ranking:
        n, shape = self.config.permutations, (len(asked), len(asked[0]))
        done = 0

        def told(count: int) -> None:
            nonlocal done
            done += count
            progress(done * shape[1] // n, shape[0] * shape[1])

        limit = self.config.max_thought_tokens or reader.wording.completion_tokens(0)
        chooser = Chooser(model, reader, self._words(reader, shape[1]), shape[1], limit, told)
        with measure() as watch:
            listings = [self._listing(row, reader, model.count) for row in asked]
            order = np.array([self.orders(row) for row in asked])
            read, answers, first = 0, [], []
            for k in range(n):
                prompts = [listing.prompt(columns) for listing, columns in zip(listings, order[:, k], strict=True)]
                first = first or prompts
                encoded = model.encode(prompts)
                read += sum(map(len, encoded))
                answers.append(chooser.choose(encoded, self.config.by))
        log_share = np.array([one.log_share for one in answers]).swapaxes(0, 1)
        scores = self.scores(log_share, order)
        cases = zip(first, answers[0].completions, strict=True)
        return Ranking(
            scores=scores,
            ratings=np.full(shape, np.nan),
            valid=np.logical_not(np.isnan(scores)),
            cost=Cost(watch.seconds, read, sum(one.written for one in answers), watch.peak_bytes),
            cases=tuple((Case(prompt.content, completion),) * shape[1] for prompt, completion in cases),
            choices=Choices(order, np.exp(log_share)),
        )

    def orders(self, asked: Sequence[Asked]) -> Int32Array:
        """The orders in which a query's candidates are put, int32 (permutations, c), by column.

        They depend on which items are asked about, not on the columns in which these stand.
        """
        query, c, n = asked[0].question.visible.query, len(asked), self.config.permutations
        rng = generator(self.config.seed, "list", query.user, query.position)
        sorted_columns = np.argsort([one.question.target for one in asked])
        orders: list[Int32Array] = []
        while len(orders) < n:
            circle = sorted_columns[rng.permutation(c)].astype(np.int32)
            turns = min(c, n - len(orders))
            orders += [np.roll(circle, -(k * c // turns)) for k in range(turns)]
        return np.array(orders)

    def scores(self, log_share: FloatArray, order: Int32Array) -> FloatArray:
        """Scores from what fell on each place, float64 (q, c) by column; NaN where no order has a valid answer.

        Args:
            log_share: float64 (q, permutations, c), by place; NaN for an invalid answer.
            order: int32 (q, permutations, c), the column in each place.
        """
        values = log_share if self.config.by == "likelihood" else np.exp(log_share)
        by_column = np.empty_like(values)
        np.put_along_axis(by_column, order, values, axis=2)
        voices = (~np.isnan(log_share[:, :, 0])).sum(axis=1)[:, None]
        # Summed in order of size, the same values in other orders add up to the same sum: equals stay equals.
        total = np.nansum(np.sort(by_column, axis=1), axis=1)
        return np.where(voices > 0, total / np.maximum(voices, 1), np.nan)

    def retold(
        self, asked: Sequence[Asked], column: int, completion: str, reader: Reader, count: Callable[[str], int]
    ) -> Told:
        order, listing = self.orders(asked)[0].tolist(), self._listing(asked, reader, count)
        said = completion.partition(THINK_CLOSE)[2] if reader.thinks else completion
        letter = self._words(reader, len(asked)).parse_answer(said)
        if letter is None or letter not in LETTERS[: len(order)]:
            verdict, problems = "no answer that could be read", ("answer",)
        else:
            chosen = "chosen" if order[LETTERS.index(letter)] == column else "not chosen"
            verdict = f"{chosen} as {LETTERS[order.index(column)]} in a list of {len(order)}; the answer was {letter}"
            problems = ()
        entry = listing.entries[column]
        prompt = replace(listing.prompt(order), dropped=entry.dropped)
        return Told(Asked(entry.asked.question, prompt, entry.steps), Reading((), None, problems), verdict)

    def _words(self, reader: Reader, candidates: int) -> ListWording:
        words = reader.wording.lists
        problem = self.problem(reader, candidates)
        if problem or words is None:
            raise InputError(problem)
        return words

    def _listing(self, asked: Sequence[Asked], reader: Reader, count: Callable[[str], int]) -> Listing:
        words = self._words(reader, len(asked))
        return listed(asked, reader.strategy, reader.wording, words, count, recency=self.config.recency)
