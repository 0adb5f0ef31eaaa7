"""Does the answer rest on the evidence that the thoughts call decisive?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from pydantic import Field

from r2rec_bench.core.config import Config
from r2rec_bench.core.seeds import generator
from r2rec_bench.core.texts import Thought
from r2rec_bench.core.types import FloatArray
from r2rec_bench.evaluation.base import Reader
from r2rec_bench.evaluation.metrics.base import Answered, Metric, metrics, order
from r2rec_bench.evaluation.opposite import opposite
from r2rec_bench.prompts.base import Asked

_STILL = 1e-4
"""A score that moved by less stayed where it was: the same question in another batch differs in its last digits."""


class CounterfactualConfig(Config):
    """Whose reasons are put to the test; each costs three questions."""

    users: Annotated[int, Field(ge=1)] | None = 100
    """Drawn by the seed, the same for every system; null tests all."""
    seed: Annotated[int, Field(ge=0)] = 0


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    """One user's recommendation, and the questions that test its reasons.

    Attributes:
        row: of the user.
        asked: as it was asked.
        swapped: with the opposite of the decisive piece.
        control: with the opposite of a piece that was called neutral, if there is one.
        weight: that the decisive thought gave.
    """

    row: int
    asked: Asked
    swapped: Asked
    control: Asked | None
    weight: int


@metrics.register("counterfactual")
class Counterfactual(Metric):
    """1 where the score of what is recommended moves as its thoughts claim when decisive evidence is reversed, else 0.

    Decisive is the piece whose thought has the largest weight, for or against, the first of equals. It is replaced by
    its opposite and the model is asked again: a score that rests on a piece *for* the item must fall, one that was
    held down by a piece *against* it must rise. Column `counterfactual`; `counterfactual_control` is the same for a
    piece that was called neutral: how often the score moves that way all the same. NaN for users who were not drawn,
    and where no piece with a weight (for the control: without) has an opposite.

    Source: this project; counterfactual tests of stated reasons as in Turpin et al. (arXiv 2305.04388) and Lanham et
    al. (arXiv 2307.13702).
    """

    config: CounterfactualConfig

    def per_user(self, answered: Answered) -> dict[str, FloatArray]:
        n = len(answered.candidates)
        moved, control = np.full(n, np.nan), np.full(n, np.nan)
        trials = list(self._trials(answered))
        if trials and answered.reasoning is not None:
            # All three anew and side by side; a missing control is the question itself, which moves nothing.
            questions = [[trial.asked, trial.swapped, trial.control or trial.asked] for trial in trials]
            for trial, scores in zip(trials, answered.reasoning.again(questions).scores, strict=True):
                moved[trial.row] = _as_claimed(scores[[0, 1]], trial.weight)
                if trial.control is not None:
                    control[trial.row] = _as_claimed(scores[[0, 2]], trial.weight)
        return {"counterfactual": moved, "counterfactual_control": control}

    def _trials(self, answered: Answered) -> Iterator[_Trial]:
        if answered.reasoning is None or not answered.readings:
            return
        n = len(answered.candidates)
        drawn = generator(self.config.seed, "counterfactual").permutation(n)[: self.config.users]
        first = order(answered.ranking, answered.candidates)[:, 0]
        for row in np.sort(drawn).tolist():
            reading = answered.readings[row][first[row]]
            if reading is not None:
                asked = answered.reasoning.asked[row][first[row]]
                trial = _trial(row, asked, reading.thoughts, answered.reasoning.reader)
                if trial is not None:
                    yield trial


def _trial(row: int, asked: Asked, thoughts: Sequence[Thought], reader: Reader) -> _Trial | None:
    there = [thought for thought in thoughts if 1 <= thought.step <= len(asked.steps)]
    most = max((abs(thought.weight) for thought in there), default=0)
    for thought in there:
        if most and abs(thought.weight) == most and (swapped := _reversed(asked, thought.step, reader)) is not None:
            neutral = (_reversed(asked, other.step, reader) for other in there if other.weight == 0)
            control = next((question for question in neutral if question is not None), None)
            return _Trial(row, asked, swapped, control, thought.weight)
    return None


def _reversed(asked: Asked, step: int, reader: Reader) -> Asked | None:
    """The question with the opposite of one piece; None where the prompt would say the same."""
    at = step - 1
    other = opposite(asked.steps[at])
    piece = reader.strategy.piece(other, asked.question, reader.wording)
    pieces = asked.prompt.pieces
    if piece == pieces[at]:
        return None
    prompt = replace(asked.prompt, pieces=(*pieces[:at], piece, *pieces[step:]))
    return Asked(asked.question, prompt, (*asked.steps[:at], other, *asked.steps[step:]))


def _as_claimed(scores: FloatArray, weight: int) -> float:
    """1 where the score went against the sign of `weight`, else 0; NaN where one of the two answers is invalid."""
    change = float(scores[1] - scores[0])
    return change if np.isnan(change) else float(np.sign(weight) * change < -_STILL)
