"""The leakage gate: what a run asks and learns from is checked against the data, by other code than made it.

Are the candidate lists fair? Are the training answers true, and only of what was visible? Is every edge of the evidence
one that its query may see? And, knowing nothing about samplers, strategies or wordings: does a question stay the same,
to the letter, when everything that it may not see is replaced or taken out?
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import chisquare

from r2rec_bench.core.errors import LeakageError
from r2rec_bench.core.seeds import generator
from r2rec_bench.core.texts import Prompt, Trace
from r2rec_bench.core.types import NONE_RATING, BoolArray, Candidates, Evidence, InteractionLog, Query, Visibility
from r2rec_bench.data.base import Fold, Folds
from r2rec_bench.graph import InteractionGraph
from r2rec_bench.prompts.base import Asked
from r2rec_bench.prompts.steps import whole_rating
from r2rec_bench.traces.collect import Asker
from r2rec_bench.traces.queries import UNRATED_TOUCH

IMPROBABLE = 1e-9
"""A fair shuffle puts the positives this unevenly once in a billion runs."""
_ENOUGH = 5
"""Expected positives per column from which on the chi-square test means something."""

Ask = Callable[[InteractionLog], Asker]
"""The run's way to put questions about what is visible of a whole log."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What was checked without finding a leak.

    Attributes:
        lists: candidate lists.
        edges: edges of evidence that were looked up.
        rewritten: questions put again after all held-out interactions had been replaced.
    """

    lists: int
    edges: int
    rewritten: int


class Auditor:
    """Checks one run; each check raises `LeakageError` at the first leak, with its example.

    Args:
        folds: the split log.
        fold: the one asked about.
        visibility: which of other people's edges count.
        ask: puts the run's questions.
        seed: of the samples.
        sample: lists, and training questions, that are put again; everything else is checked in full.
    """

    def __init__(self, folds: Folds, fold: Fold, visibility: Visibility, ask: Ask, seed: int, sample: int = 8) -> None:
        self._log = folds.log
        self._start = folds.log.offsets()
        self._visible: BoolArray = (folds.fold >= 0) & (folds.fold < fold)
        self._asked = np.zeros(len(folds.log), dtype=np.bool_)
        self._asked[folds.asked[fold]] = True
        self._visible_log = folds.log.select(self._visible)
        self._visible_start = self._visible_log.offsets()
        self._visibility = visibility
        self._ask = ask
        self._seed = seed
        self._sample = sample

    def asked(self, lists: Candidates, asked: Sequence[Sequence[Asked]]) -> Audit:
        """All checks of what is asked: `lists`, (q, c), and the questions about them, (q, c)."""
        rows = generator(self._seed, "audit", "asked").permutation(len(asked))
        put = [asked[row] for row in rows[: self._sample]]
        self.check_lists(lists)
        edges = self.check_evidence([one.question.evidence for row in asked for one in row])
        self.check_rewritten(put)
        return Audit(len(lists), edges, sum(map(len, put)))

    def learnt(self, traces: Sequence[Trace]) -> int:
        """All checks of what is learnt from; how many training questions were put again, redacted."""
        rows = generator(self._seed, "audit", "learnt").permutation(len(traces))
        again = [traces[row] for row in rows[: self._sample]]
        self.check_answers(traces)
        self.check_redacted(again)
        return len(again)

    def check_lists(self, lists: Candidates) -> None:
        """Each list asks at the moment of its answer, has the item taken next and others never touched, in no order."""
        for query, items, positive in zip(lists.queries, lists.items, lists.positive.tolist(), strict=True):
            rows = slice(self._start[query.user], self._start[query.user + 1])
            own, asked, visible = self._log.item[rows], self._asked[rows], int(self._visible[rows].sum())
            negatives = np.delete(items, positive)
            touched = np.intersect1d(negatives, own)
            if own[asked].tolist() != [items[positive]]:
                raise self._leak(query, f"{self._item(items[positive])} is given as what they took next; it is not")
            if len(touched):
                raise self._leak(query, f"the negative {self._item(touched[0])} is one that they do touch")
            if len(np.unique(negatives)) < len(negatives):
                raise self._leak(query, "an item stands twice among the negatives")
            if query.position != visible:
                raise self._leak(
                    query, f"the query sees {query.position} of their own interactions; {visible} are visible"
                )
            [taken] = self._log.time[rows][asked].tolist()
            if query.time != taken:
                raise self._leak(
                    query, f"the query is put at {query.time}; they took {self._item(items[positive])} at {taken}"
                )
        n, width = lists.items.shape
        places = np.bincount(lists.positive, minlength=width)
        if n >= _ENOUGH * width and chisquare(places).pvalue < IMPROBABLE:
            raise LeakageError(
                f"candidates: {places.max()} of {n} positives stand in column {places.argmax() + 1} of {width}, where "
                f"about {n / width:.0f} were expected: where an item stands would tell that it is the answer"
            )

    def check_answers(self, traces: Sequence[Trace]) -> None:
        """Each training question asks about a visible interaction, with its true outcome, or about one that is none."""
        for trace in traces:
            query, item = trace.query, self._item(trace.target)
            start = int(self._visible_start[query.user])
            own = self._visible_log.item[start : self._visible_start[query.user + 1]]
            if trace.answer == NONE_RATING:
                if trace.target in own:
                    raise self._leak(query, f"learnt that they do not touch {item}, which they visibly do")
                continue
            if query.position >= len(own) or own[query.position] != trace.target:
                raise self._leak(query, f"learnt that they take {item} next, which is not visible: a held-out label")
            true = whole_rating(float(self._visible_log.rating[start + query.position])) or UNRATED_TOUCH
            if trace.answer != (true if true in trace.prompt.outcomes else UNRATED_TOUCH):
                raise self._leak(query, f"learnt {trace.answer} as their rating of {item}, which is {true}")

    def check_evidence(self, evidences: Sequence[Evidence]) -> int:
        """Every edge that exists is one that its query may see, as it is; returns how many edges were looked up.

        An edge that nobody has is a placebo's: it tells nothing about anybody.
        """
        seen = [
            (evidence, edge)
            for evidence in evidences
            for edge in (
                *(edge for chain in evidence.chains for edge in chain.edges),
                *(bundle.anchor for bundle in evidence.bundles),
            )
        ]
        if not seen:
            return 0
        n_items = self._log.n_items
        keys = self._log.user.astype(np.int64) * n_items + self._log.item
        by_key = np.argsort(keys)
        wanted = np.array([edge.user * n_items + edge.item for _, edge in seen])
        rows = by_key[np.minimum(np.searchsorted(keys, wanted, sorter=by_key), len(keys) - 1)]
        for (evidence, edge), row in zip(seen, np.where(keys[rows] == wanted, rows, -1).tolist(), strict=True):
            query = evidence.query
            if row >= 0 and not (self._visible[row] and self._before(query, edge.user, row)):
                whose = "their own" if edge.user == query.user else f"user {self._log.user_ids[edge.user]}'s"
                raise self._leak(
                    query,
                    f"the evidence about {self._item(evidence.target)} tells {whose} interaction with "
                    f"{self._item(edge.item)}, which this query may not see",
                )
        return len(seen)

    def check_rewritten(self, asked: Sequence[Sequence[Asked]]) -> None:
        """Questions of the fold asked about do not change when all that is held out becomes something else."""
        if not asked:
            return
        asker = self._ask(self._rewritten())
        for row in asked:
            query = row[0].question.visible.query
            again = asker.prompts(query, [one.question.target for one in row])
            for first, second in zip(row, again, strict=True):
                if first.prompt != second.prompt:
                    raise self._leak(
                        query,
                        f"the question about {self._item(first.question.target)} changed when every held-out "
                        f"interaction was replaced: {_difference(first.prompt, second.prompt)}",
                    )

    def check_redacted(self, traces: Sequence[Trace]) -> None:
        """Training questions do not change when their label, and all else that they may not see, is taken out."""
        if not traces:
            return
        asker = self._ask(self._log)
        visible = self._visible_log
        position = np.arange(len(visible)) - self._visible_start[visible.user]
        for trace in traces:
            query = trace.query
            own = visible.user == query.user
            others = visible.time < query.time if self._visibility is Visibility.PAST else ~own
            left = visible.select(np.where(own, position < query.position, others))
            [again] = replace(asker, graph=InteractionGraph(left, self._visibility)).prompts(query, [trace.target])
            if again.prompt != trace.prompt:
                raise self._leak(
                    query,
                    f"the training question about {self._item(trace.target)} changed when its label and what comes "
                    f"after it were taken out: {_difference(trace.prompt, again.prompt)}",
                )

    def _before(self, query: Query, user: int, row: int) -> bool:
        """Whether a visible row comes before the moment asked about, as far as visibility asks for that."""
        if user == query.user:
            earlier = self._visible[self._start[user] : row]
            return int(earlier.sum()) < query.position
        return self._visibility is Visibility.FOLD or int(self._log.time[row]) < query.time

    def _rewritten(self) -> InteractionLog:
        """The log with other items, none twice per user, and opposite ratings wherever it is held out."""
        log, held_out = self._log, np.flatnonzero(~self._visible)
        item, rating = log.item.copy(), log.rating.copy()
        rng = generator(self._seed, "audit", "rewritten")
        for row in held_out.tolist():
            own = item[self._start[log.user[row]] : self._start[log.user[row] + 1]]
            if len(own) < log.n_items:
                while (other := rng.integers(log.n_items)) in own:
                    pass
                item[row] = other
        rating[held_out] = 6 - rating[held_out]
        return replace(log, item=item, rating=rating)

    def _item(self, index: int) -> str:
        return f"item {self._log.item_ids[index]}"

    def _leak(self, query: Query, what: str) -> LeakageError:
        return LeakageError(f"user {self._log.user_ids[query.user]}: {what}")


def _difference(first: Prompt, second: Prompt) -> str:
    """The first lines in which two prompts differ."""
    lines = zip(first.content.splitlines(), second.content.splitlines(), strict=False)
    one, other = next(((a, b) for a, b in lines if a != b), ("its length", "another"))
    return f"{one!r} became {other!r}"
