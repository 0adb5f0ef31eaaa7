"""Sources, splits and negatives that break a rule."""

from dataclasses import replace

import numpy as np

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.types import Visibility
from r2rec_bench.data.base import Fold, Folds
from r2rec_bench.data.negatives.uniform import Uniform
from r2rec_bench.data.sources.synthetic import Synthetic, SyntheticConfig
from r2rec_bench.data.splits.leave_last_out import LeaveLastOut
from tests.testing.broken.marks import breaks, turns

TINY = SyntheticConfig(users=20, items=40, interactions=8)


@breaks("sources", "loads_the_same_twice", "one digest", TINY)
class Moody(Synthetic):
    def load(self):
        dataset = super().load()
        return replace(dataset, log=replace(dataset.log, time=dataset.log.time + turns("load")))


@breaks("sources", "log_is_sound", "or NaN where there is none", TINY)
class OutOfFive(Synthetic):
    def load(self):
        dataset = super().load()
        return replace(dataset, log=replace(dataset.log, rating=dataset.log.rating * 2))


@breaks("sources", "log_is_sound", "repeated pairs", TINY)
class Repeating(Synthetic):
    def load(self):
        dataset = super().load()
        item = dataset.log.item.copy()
        item[1] = item[0]
        return replace(dataset, log=replace(dataset.log, item=item))


@breaks("sources", "log_is_sound", "float64", TINY)
class WrongType(Synthetic):
    def load(self):
        dataset = super().load()
        return replace(dataset, log=replace(dataset.log, rating=dataset.log.rating.astype(float)))


@breaks("sources", "texts_are_aligned", "39 titles", TINY)
class Short(Synthetic):
    def load(self):
        dataset = super().load()
        return replace(dataset, catalog=replace(dataset.catalog, titles=dataset.catalog.titles[1:]))


@breaks("sources", "survives_storage", "drops, written and read", TINY)
class Numbered(Synthetic):
    def load(self):
        return replace(super().load(), drops={404: 1})


@breaks("splits", "every_row_has_a_fold", "got: .*int64")
class Wide(LeaveLastOut):
    def split(self, log):
        folds = super().split(log)
        return replace(folds, fold=folds.fold.astype(np.int64))


@breaks("splits", "who_is_asked_is_known", "a user who is asked twice")
class Twice(LeaveLastOut):
    def split(self, log):
        folds = super().split(log)
        return replace(folds, asked={fold: np.repeat(rows, 2) for fold, rows in folds.asked.items()})


@breaks("splits", "nothing_seen_is_later_than_what_is_asked", "nobody's future in sight")
class Prophetic(LeaveLastOut):
    default_visibility = Visibility.PAST


@breaks("splits", "the_same_log_gives_the_same_folds", "the same folds")
class Wavering(LeaveLastOut):
    def split(self, log):
        folds = super().split(log)
        asked = folds.asked[Fold.TEST][turns("split") :]
        return replace(folds, asked={**folds.asked, Fold.TEST: asked})


@breaks("splits", "ratings_do_not_matter", "other ratings")
class Choosy(LeaveLastOut):
    def split(self, log):
        folds = super().split(log)
        liked = {fold: rows[~(log.rating[rows] < 3)] for fold, rows in folds.asked.items()}
        return replace(folds, asked=liked)


@breaks("splits", "what_cannot_be_split_is_refused", "an InputError")
class Careless(LeaveLastOut):
    def split(self, log):
        try:
            return super().split(log)
        except InputError:
            nobody = np.empty(0, np.int64)
            return Folds(log, np.zeros(len(log), np.int8), {Fold.VALIDATION: nobody, Fold.TEST: nobody})


@breaks("negatives", "negatives_are_distinct_and_untouched", "that the user touched")
class Positive(Uniform):
    def draw(self, touched, positive, popularity, n, rng):
        drawn = super().draw(touched, positive, popularity, n, rng)
        drawn[0] = positive
        return drawn


@breaks("negatives", "the_same_generator_gives_the_same_negatives", "the same items")
class OwnDice(Uniform):
    def draw(self, touched, positive, popularity, n, rng):
        drawn = super().draw(touched, positive, popularity, n, rng)
        return drawn[::-1].copy() if turns("draw") else drawn


@breaks("negatives", "too_few_items_are_refused", "an InputError")
class Fewer(Uniform):
    def draw(self, touched, positive, popularity, n, rng):
        return super().draw(touched, positive, popularity, min(n, len(popularity) - len(touched)), rng)
