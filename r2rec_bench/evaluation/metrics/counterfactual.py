"""Does the answer rest on the evidence that the thoughts call decisive?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from pydantic import Field

from r2rec_bench.core.config import Config
from r2rec_bench.core.seeds import derive
from r2rec_bench.core.texts import Thought
from r2rec_bench.core.types import FloatArray
from r2rec_bench.evaluation.base import Reader
from r2rec_bench.evaluation.metrics.base import Answered, Metric, metrics
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
    held down by a piece *against* it must rise. Column `counterfactual`; `counterfactual_shift` is how far it moved as
    claimed, in the ranker's scores, negative where it went the other way. `counterfactual_control` and
    `counterfactual_control_shift` are the same for a piece that was called neutral: how the score moves all the same.
    NaN for users who were not drawn, where an answer is invalid, and where no piece with a weight (for the control:
    without one) has an opposite.

    Source: this project; counterfactual tests of stated reasons as in Turpin et al. (arXiv 2305.04388) and Lanham et
    al. (arXiv 2307.13702).
    """

    config: CounterfactualConfig

    def per_user(self, answered: Answered) -> dict[str, FloatArray]:
        shift, control = np.full((2, len(answered.candidates)), np.nan)
        trials = list(self._trials(answered))
        if trials and answered.reasoning is not None:
            # All three anew and side by side; where there is no control, the question itself fills its place.
            questions = [[trial.asked, trial.swapped, trial.control or trial.asked] for trial in trials]
            for trial, (whole, swapped, other) in zip(
                trials, answered.reasoning.again(questions).scores.tolist(), strict=True
            ):
                claimed = -math.copysign(1, trial.weight)
                shift[trial.row] = claimed * (swapped - whole)
                control[trial.row] = claimed * (other - whole) if trial.control is not None else math.nan
        return {
            "counterfactual": _moved(shift),
            "counterfactual_shift": shift,
            "counterfactual_control": _moved(control),
            "counterfactual_control_shift": control,
        }

    def _trials(self, answered: Answered) -> Iterator[_Trial]:
        if answered.reasoning is None or not answered.readings:
            return
        users = [query.user for query in answered.candidates.queries]
        shuffled = sorted(range(len(users)), key=lambda row: derive(self.config.seed, "counterfactual", users[row]))
        first = answered.order[:, 0].tolist()
        for row in sorted(shuffled[: self.config.users]):
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


def _moved(shift: FloatArray) -> FloatArray:
    return np.where(np.isnan(shift), np.nan, shift > _STILL)
