"""Rankers, metrics and baselines that break a rule."""

import numpy as np

from r2rec_bench.core.types import Cost, Ranking
from r2rec_bench.evaluation.base import Baseline, Contender, Ranker, Recipe
from r2rec_bench.evaluation.metrics.base import ranks
from r2rec_bench.evaluation.metrics.hr import HitRatio
from r2rec_bench.evaluation.metrics.mrr import ReciprocalRank
from tests.testing.broken.marks import DOC, breaks, turns

# Rankers: by the number of the item, without asking.


class ByNumber(Ranker):
    """Scores that need no model."""

    outcomes = (1, 2, 3, 4, 5)

    def rank(self, model, asked, reader, progress):
        scores = self.scored(np.array([[float(one.question.target) for one in row] for row in asked]))
        return Ranking(scores, np.full(scores.shape, 3.0), np.ones(scores.shape, bool), self.cost())

    def scored(self, scores):
        return scores

    def cost(self):
        return Cost(0.1, 9, 9)


ByNumber.__doc__ = DOC


@breaks("rankers", "outcomes_are_stated", r"\(5, 1\)")
class Backwards(ByNumber):
    outcomes = (5, 1)


@breaks("rankers", "ranking_has_its_form", "float32")
class Halfway(ByNumber):
    def scored(self, scores):
        return scores.astype(np.float32)


@breaks("rankers", "cost_and_cases_are_told", "seconds and prompt tokens above 0")
class Gratis(ByNumber):
    def cost(self):
        return Cost()


@breaks("rankers", "ranking_again_gives_the_same", "ranked again")
class Moody(ByNumber):
    def scored(self, scores):
        return scores + turns("rank")


@breaks("rankers", "lists_do_not_influence_each_other", "beside others")
class Relative(ByNumber):
    def scored(self, scores):
        return scores / len(scores)


# Metrics.


@breaks("metrics", "columns_are_one_value_per_user", "infinite mrr")
class Infinite(ReciprocalRank):
    def per_user(self, answered):
        rank = ranks(answered.ranking, answered.candidates)
        return {"mrr": np.where(rank > 1, np.inf, 1.0)}


@breaks("metrics", "columns_are_one_value_per_user", r"float64 \(\)")
class Mean(ReciprocalRank):
    def per_user(self, answered):
        return {"mrr": np.array(super().per_user(answered)["mrr"].mean())}


@breaks("metrics", "columns_are_one_value_per_user", "names other than user_id")
class Squatting(ReciprocalRank):
    def per_user(self, answered):
        return {"rank": super().per_user(answered)["mrr"]}


@breaks("metrics", "measuring_again_gives_the_same", "measured again")
class Wavering(ReciprocalRank):
    def per_user(self, answered):
        return {"mrr": super().per_user(answered)["mrr"] + turns("metric")}


@breaks("metrics", "a_user_counts_alone", "of three users")
class Standardised(ReciprocalRank):
    def per_user(self, answered):
        values = super().per_user(answered)["mrr"]
        return {"mrr": values / len(values)}


@breaks("metrics", "better_is_in_the_stated_direction", "the other way round")
class UpsideDown(HitRatio):
    higher_is_better = False


# Baselines: how often an item was touched, spoilt.


class Counts(Baseline):
    """Popularity."""

    def fit(self, log, seed):
        self.counts = np.bincount(log.item, minlength=log.n_items).astype(np.float64)
        self.users = set(log.user.tolist())
        self.log = log

    def score(self, candidates):
        return self.counts[candidates.items]


Counts.__doc__ = DOC


@breaks("baselines", "it_is_fitted_or_a_recipe", "a Baseline or a Recipe")
class Neither(Contender):
    pass


@breaks("baselines", "scores_are_finite", "nan for user index 14")
class Exclusive(Counts):
    def score(self, candidates):
        known = [query.user in self.users for query in candidates.queries]
        return np.where(np.array(known)[:, None], super().score(candidates), np.nan)


@breaks("baselines", "ratings_are_ratings", "expected: 1 to 5")
class Enthusiastic(Counts):
    def ratings(self, candidates):
        return np.full(candidates.items.shape, 5.5)


@breaks("baselines", "the_same_seed_gives_the_same_scores", "the same log and seed")
class Unsettled(Counts):
    def fit(self, log, seed):
        super().fit(log, seed)
        self.counts += turns("fit")


@breaks("baselines", "the_same_seed_gives_the_same_scores", "fitted on something else before")
class Remembering(Counts):
    def fit(self, log, seed):
        before = getattr(self, "counts", 0)
        super().fit(log, seed)
        self.counts += before


@breaks("baselines", "the_label_does_not_matter", "another positive")
class Cheating(Counts):
    def score(self, candidates):
        scores = super().score(candidates)
        scores[np.arange(len(scores)), candidates.positive] += 1
        return scores


@breaks("baselines", "a_score_is_of_its_pair_alone", "one candidate at a time")
class Normalising(Counts):
    def score(self, candidates):
        scores = super().score(candidates)
        return scores - scores.mean(axis=1, keepdims=True)


@breaks("baselines", "what_is_handed_in_is_left_as_it_was", "both as they were handed in")
class Tampering(Counts):
    def fit(self, log, seed):
        super().fit(log, seed)
        log.rating[:] = log.rating[::-1] + 1


@breaks("baselines", "a_recipe_gives_a_sound_experiment", "keys of chains, prompts")
class Overreaching(Recipe):
    def change(self, experiment):
        return {"metrics": ["mrr"]}


@breaks("baselines", "a_recipe_gives_a_sound_experiment", "unknown ranker 'rating_expectaton'")
class Misspelt(Recipe):
    def change(self, experiment):
        return {"ranker": "rating_expectaton"}


@breaks("baselines", "leaves_global_randomness_alone", "the global state of numpy.random moved")
class GloballySeeded(Counts):
    def fit(self, log, seed):
        super().fit(log, seed)
        np.random.seed(seed)
