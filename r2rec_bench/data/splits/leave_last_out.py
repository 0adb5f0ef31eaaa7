"""Leave-last-out: the split of the literature."""

from __future__ import annotations

import numpy as np

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.types import InteractionLog, Visibility
from r2rec_bench.data.base import Fold, Folds, Split, splits

MIN_INTERACTIONS = 3
"""One to learn from, one to choose on, one to test on."""


@splits.register("leave_last_out")
class LeaveLastOut(Split):
    """Each user's last interaction is test, the one before validation, the rest train.

    Users with fewer than three interactions are left out.
    """

    default_visibility = Visibility.FOLD

    def split(self, log: InteractionLog) -> Folds:
        offsets = log.offsets()
        kept = np.diff(offsets) >= MIN_INTERACTIONS
        if not kept.any():
            raise InputError(f"leave_last_out: the test fold is empty: no user has {MIN_INTERACTIONS} interactions")
        last = offsets[1:][kept] - 1
        fold = np.where(kept[log.user], Fold.TRAIN, Fold.UNUSED).astype(np.int8)
        fold[last - 1] = Fold.VALIDATION
        fold[last] = Fold.TEST
        return Folds(log, fold, {Fold.VALIDATION: last - 1, Fold.TEST: last})
