"""Global temporal split: nothing is learnt from after the moment of a question."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from r2rec_bench.core.config import Config
from r2rec_bench.core.errors import InputError
from r2rec_bench.core.types import Int64Array, InteractionLog, Visibility
from r2rec_bench.data.base import Fold, Folds, Int8Array, Split, splits


class TemporalConfig(Config):
    """Shares of the interactions, in order of time; what they leave is the test fold."""

    train: Annotated[float, Field(gt=0, lt=1)] = 0.8
    """Share before the first moment."""
    validation: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """Share between the two moments."""

    @model_validator(mode="after")
    def _leaves_a_test_fold(self) -> TemporalConfig:
        if self.train + self.validation >= 1:
            raise ValueError(f"train + validation must be below 1, got {self.train + self.validation:g}")
        return self


@splits.register("temporal")
class Temporal(Split):
    """Two moments divide everybody's interactions into train, validation and test.

    Interactions of one second stay together, on the earlier side, so that a fold ends before the next begins. A user
    is asked about the first interaction of a fold, provided that there is an earlier one to know them by.
    """

    config: TemporalConfig
    default_visibility = Visibility.PAST

    def split(self, log: InteractionLog) -> Folds:
        in_order = np.sort(log.time)
        cuts = [self.config.train, self.config.train + self.config.validation]
        last = [in_order[max(round(cut * len(log)) - 1, 0)] for cut in cuts]
        fold = np.searchsorted(np.array(last), log.time, side="left").astype(np.int8)
        asked = {asking: _first_rows(log, fold, asking) for asking in (Fold.VALIDATION, Fold.TEST)}
        for asking, rows in asked.items():
            if not len(rows):
                reason = "no user has an earlier interaction" if (fold == asking).any() else "too few different times"
                raise InputError(f"temporal: nobody can be asked in the {asking.name.lower()} fold: {reason}")
        return Folds(log, fold, asked)


def _first_rows(log: InteractionLog, fold: Int8Array, asking: Fold) -> Int64Array:
    """Each user's first row in `asking`, int64 (q,), unless it is their very first."""
    rows = np.flatnonzero(fold == asking)
    own_before = rows > log.offsets()[log.user[rows]]
    first_in_fold = fold[rows - 1] < asking
    return rows[own_before & first_in_fold]
