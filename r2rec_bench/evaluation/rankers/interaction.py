"""Each candidate is asked for a yes or a no."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from r2rec_bench.core.types import NONE_RATING, FloatArray
from r2rec_bench.evaluation.base import Reader, Told, rankers
from r2rec_bench.evaluation.rankers.rating import Pointwise
from r2rec_bench.prompts.base import Asked
from r2rec_bench.traces.queries import UNRATED_TOUCH


@rankers.register("interaction")
class Interaction(Pointwise):
    """Candidates by the probability of interacting at all, p(yes) / (p(yes) + p(no)); no rating is predicted.

    In training every interaction is a yes, however it was rated, since what a list of candidates is searched for is
    what the user took next, liked or not. The verbose wording asks for Yes or No, the compact one for its 5 or its 0.

    Source: TALLRec (arXiv 2305.00447), whose yes is a rating above 3.
    """

    @property
    def outcomes(self) -> tuple[int, ...]:
        return (NONE_RATING, UNRATED_TOUCH)

    def score(self, known: FloatArray) -> FloatArray:
        return known[:, 1]

    def ratings(self, known: FloatArray) -> FloatArray:
        return np.full(len(known), np.nan)

    def retold(
        self, asked: Sequence[Asked], column: int, completion: str, reader: Reader, count: Callable[[str], int]
    ) -> Told:
        told = super().retold(asked, column, completion, reader, count)
        return replace(told, verdict="would interact") if told.reading.answer else told
