"""Each rule of backbones, rewards, pairs, stages, rankers, metrics and baselines catches what breaks it."""

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from r2rec_bench.core.types import Cost, Ranking
from r2rec_bench.evaluation.base import Baseline, Contender, Ranker, Recipe
from r2rec_bench.evaluation.metrics.base import ranks
from r2rec_bench.evaluation.metrics.hr import HitRatio
from r2rec_bench.evaluation.metrics.mrr import ReciprocalRank
from r2rec_bench.llm.base import LoadOptions
from r2rec_bench.llm.nano import Nano, NanoConfig
from r2rec_bench.testing import ContractError, contract_of
from r2rec_bench.testing.models import small_nano
from r2rec_bench.testing.worlds import moments, worlds
from r2rec_bench.training.base import Stage, StageResult
from r2rec_bench.training.pairs.base import Paired
from r2rec_bench.training.pairs.corrupted import Corrupted
from r2rec_bench.training.rewards.rating import Rating

FAMILIES = ["backbones", "rewards", "pairs", "stages", "rankers", "metrics", "baselines"]
BROKEN = []
CALLS = Counter()
DOC = "Broken on purpose.\n\nSource: this test."


def breaks(family, rule, says):
    """Marks a component that breaks a rule; `says` is part of what the error must tell."""

    def mark(cls):
        cls.__doc__ = DOC
        BROKEN.append(pytest.param(family, cls, rule, says, id=f"{family}-{cls.__name__}"))
        return cls

    return mark


def turns(name):
    """Odd and even in turn: what makes a component forget its seed, the same in every run of the test."""
    CALLS[name] += 1
    return CALLS[name] % 2


@pytest.fixture(autouse=True)
def clean_worlds():
    """What a broken component did to a world is for no other test."""
    CALLS.clear()
    yield
    worlds.cache_clear()
    moments.cache_clear()


# Backbones: a copy of the small nano, tampered with.


class Copied(Nano):
    """A nano in a folder that may be spoilt."""

    folder: Path

    def __init__(self, config=None):
        type(self).folder = getattr(type(self), "made", None) or self.made_once()
        super().__init__(NanoConfig(weights=self.folder))

    @classmethod
    def made_once(cls):
        cls.made = small_nano().path.parent / f"{small_nano().path.name}-{cls.__name__}"
        shutil.copytree(small_nano().path, cls.made, dirs_exist_ok=True)
        cls.spoil(cls.made)
        return cls.made

    @classmethod
    def spoil(cls, folder):
        pass


@breaks("backbones", "checkpoint_is_a_plain_folder", "expected: tokenizer.json")
class Speechless(Copied):
    @classmethod
    def spoil(cls, folder):
        (folder / "tokenizer.json").unlink()


@breaks("backbones", "identity_is_stable", "one identity")
class Nameless(Copied):
    def identity(self):
        return f"{turns('identity')}"


@breaks("backbones", "answers_are_single_tokens", "a token of its own for each outcome")
class Foreign(Copied):
    wording = "verbose"


@breaks("backbones", "prompts_are_understood", "log-probabilities")
class Empty(Copied):
    @classmethod
    def spoil(cls, folder):
        from safetensors.numpy import load_file, save_file

        weights = load_file(folder / "model.safetensors")
        save_file(
            {k: np.full_like(v, np.nan) for k, v in weights.items()}, folder / "model.safetensors", {"format": "pt"}
        )


@breaks("backbones", "the_folder_is_left_as_it_was", "after loading")
class Scribbling(Copied):
    def load_options(self):
        (self.folder / "notes.txt").write_text(f"{turns('notes')}")
        return LoadOptions()


# Rewards and pairs.


@breaks("rewards", "range_is_stated", r"range \(1.0, 1.0\)")
class Narrow(Rating):
    range = (1.0, 1.0)


@breaks("rewards", "scores_are_within_the_range", r"a score within \(0.0, 1.0\)")
class Generous(Rating):
    def score(self, readings, traces):
        return 1.5 * super().score(readings, traces)


@breaks("rewards", "scores_are_within_the_range", "a finite score")
class Undecided(Rating):
    def score(self, readings, traces):
        return np.where([reading.answer is None for reading in readings], np.nan, super().score(readings, traces))


@breaks("rewards", "scores_are_within_the_range", "float32")
class Halved(Rating):
    def score(self, readings, traces):
        return super().score(readings, traces).astype(np.float32)


@breaks("rewards", "sound_is_not_worse_than_unreadable", "garbage that earns no more than what is right")
class Perverse(Rating):
    def score(self, readings, traces):
        return 1 - super().score(readings, traces)


@breaks("rewards", "order_does_not_matter", "in reverse order")
class Impatient(Rating):
    def score(self, readings, traces):
        return super().score(readings, traces) / np.arange(1, len(readings) + 1)


@breaks("pairs", "pairs_are_preferences", "two completions that differ")
class Indifferent(Corrupted):
    def pair(self, traces, model, context):
        paired = super().pair(traces, model, context)
        return Paired(tuple(replace(pair, rejected=pair.chosen) for pair in paired.pairs))


@breaks("pairs", "the_same_seed_gives_the_same_pairs", "the same pairs")
class Fickle(Corrupted):
    def pair(self, traces, model, context):
        return Paired(super().pair(traces, model, context).pairs[turns("pair") :])


# Stages: noise on the weights stands for training.


class Noise(Stage):
    """Adds noise to all weights, quickly."""

    def run(self, start, traces, out, context):
        from r2rec_bench.llm.model import LanguageModel

        lm = LanguageModel.load(start, LoadOptions())
        for weight in lm.model.parameters():
            weight.data += self.noise()
        lm.model.save_pretrained(out)
        lm.tokenizer.save_pretrained(out)
        return StageResult(self.log(), (), len(traces), 99)

    def noise(self):
        return 0.01

    def log(self):
        return ({"step": 1.0, "loss": 2.0},)


Noise.__doc__ = DOC


def test_noise_alone_breaks_no_rule():
    contract_of("stages").check(Noise())


@breaks("stages", "training_keeps_its_promises", "weights that were trained")
class Idle(Noise):
    def noise(self):
        return 0.0


@breaks("stages", "training_keeps_its_promises", "trained again under the same seed")
class Unseeded(Noise):
    def noise(self):
        return 0.01 + turns("noise")


@breaks("stages", "training_keeps_its_promises", r"\['loss'\] that is not finite at step 1")
class Diverging(Noise):
    def log(self):
        return ({"step": 1.0, "loss": float("nan")},)


@breaks("stages", "training_keeps_its_promises", "a plain folder")
class Forgetful(Noise):
    def run(self, start, traces, out, context):
        result = super().run(start, traces, out, context)
        (out / "tokenizer.json").unlink()
        return result


@breaks("stages", "training_keeps_its_promises", "a start folder or traces that were changed")
class Overwriting(Noise):
    def run(self, start, traces, out, context):
        (start.path / "notes.txt").write_text(f"{turns('notes')}")
        return super().run(start, traces, out, context)


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


def test_rankers_by_number_break_no_rule():
    contract_of("rankers").check(ByNumber())


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


NAMES = {family: {rule.name for rule in contract_of(family).rules} for family in FAMILIES}
EVERYWHERE = set.intersection(*NAMES.values()) | {"names_its_source"}
"""Rules that all families have; tests/testing/test_broken_evidence.py breaks them."""


@pytest.mark.parametrize(("family", "cls", "rule", "says"), BROKEN)
def test_it_is_caught(family, cls, rule, says):
    with pytest.raises(ContractError, match=says) as caught:
        contract_of(family).check(cls(), only=rule if rule in NAMES[family] else None)
    assert caught.value.rule == rule
    assert all(word in str(caught.value) for word in (cls.__name__, rule, caught.value.got, caught.value.expected))


@pytest.mark.parametrize("family", FAMILIES)
def test_no_rule_is_without_a_component_that_breaks_it(family):
    shown = {param.values[2] for param in BROKEN if param.values[0] == family}
    assert NAMES[family] - EVERYWHERE <= shown
