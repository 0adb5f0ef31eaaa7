"""Each rule of data, chains, prompts and teachers catches a component that breaks it, and says which rule that is."""

from collections import Counter
from dataclasses import replace
from typing import Annotated

import numpy as np
import pytest
from pydantic import ConfigDict, Field, field_serializer

from r2rec_bench.chains.base import SamplerConfig
from r2rec_bench.chains.closed_uniform import ClosedUniform, ClosedUniformConfig
from r2rec_bench.core.config import Tune
from r2rec_bench.core.errors import InputError
from r2rec_bench.core.texts import Reading
from r2rec_bench.core.types import Visibility
from r2rec_bench.data.base import Fold, Folds
from r2rec_bench.data.negatives.uniform import Uniform
from r2rec_bench.data.sources.synthetic import Synthetic, SyntheticConfig
from r2rec_bench.data.splits.leave_last_out import LeaveLastOut
from r2rec_bench.prompts.progressive_mask import ProgressiveMask
from r2rec_bench.testing import ContractError, contract_of
from r2rec_bench.testing.worlds import CANARY, moments, worlds
from r2rec_bench.traces.template import Template

FAMILIES = ["sources", "splits", "negatives", "chains", "prompts", "teachers"]
BROKEN = []
CALLS = Counter()
DOC = "Broken on purpose.\n\nSource: this test."
TINY = SyntheticConfig(users=20, items=40, interactions=8)


def breaks(family, rule, says, config=None, doc=DOC):
    """Marks a component that breaks a rule; `says` is part of what the error must tell."""

    def mark(cls):
        cls.__doc__ = doc
        BROKEN.append(pytest.param(family, cls, config, rule, says, id=f"{family}-{cls.__name__}"))
        return cls

    return mark


def turns(name):
    """Even and odd in turn: what makes a component forget its seed, the same in every run of the test."""
    CALLS[name] += 1
    return CALLS[name] % 2


@pytest.fixture(autouse=True)
def clean_worlds():
    """What a broken component did to a world is for no other test."""
    CALLS.clear()
    yield
    worlds.cache_clear()
    moments.cache_clear()


# Whatever the family: shown on chains.


class OpenConfig(SamplerConfig):
    model_config = ConfigDict(extra="allow")


class SilentConfig(SamplerConfig):
    knob: int = 3


class ForgetfulConfig(SamplerConfig):
    @field_serializer("n")
    def _one_more(self, n: int) -> int:
        return n + 1


class OutsideConfig(SamplerConfig):
    hops: Annotated[int, Field(ge=1), Tune(0, 8)] = 4
    """Documented."""


class BackwardsConfig(SamplerConfig):
    hops: Annotated[int, Field(ge=1), Tune(8, 2)] | None = None
    """Documented."""


@breaks("chains", "is_described", "no docstring", doc=None)
class Undescribed(ClosedUniform):
    pass


@breaks("chains", "is_described", "one sentence, then an empty line", doc="Two things. Not one.")
class Verbose(ClosedUniform):
    pass


@breaks("chains", "names_its_source", "no such line", doc="Broken on purpose.")
class Unsourced(ClosedUniform):
    pass


@breaks("chains", "settings_are_closed", "extra='allow'")
class Open(ClosedUniform):
    config: OpenConfig


@breaks("chains", "settings_are_explained", "nothing about knob")
class Silent(ClosedUniform):
    config: SilentConfig


@breaks("chains", "settings_survive_yaml", "written and read")
class Forgetful(ClosedUniform):
    config: ForgetfulConfig


@breaks("chains", "tuning_is_valid", "whose end 0 is refused: Input should be greater than or equal to 1")
class Outside(ClosedUniform):
    config: OutsideConfig


@breaks("chains", "tuning_is_valid", "low below high")
class Backwards(ClosedUniform):
    config: BackwardsConfig


@breaks("chains", "leaves_global_randomness_alone", "the global state of numpy.random moved")
class GloballyRandom(ClosedUniform):
    def weights(self, closures):
        return np.random.random(len(closures)) + 1


@breaks("chains", "weights_are_finite_and_not_negative", "KeyError: 'oops'")
class Failing(ClosedUniform):
    def weights(self, closures):
        raise KeyError("oops")


# Sources, splits, negatives.


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


# Chains.


def of_the_future(visible):
    """Whether the query user goes on to the canary, which no sampler can know but by breaking in."""
    later = slice(visible._own.stop, visible._rows.user_start[visible.query.user + 1])
    return CANARY in visible._rows.item[later]


@breaks("chains", "weights_are_finite_and_not_negative", "weights of 0 or more")
class Negative(ClosedUniform):
    def weights(self, closures):
        return -super().weights(closures)


@breaks("chains", "weights_are_finite_and_not_negative", r"float64 \(16,\).*\n.*float64 \(15,\)")
class Scalar(ClosedUniform):
    def weights(self, closures):
        return np.ones(len(closures) + 1)


@breaks("chains", "evidence_is_what_was_asked_for", "at most n, 1", ClosedUniformConfig(n=1))
class Greedy(ClosedUniform):
    def sample(self, visible, target, rng):
        return ClosedUniform(self.config.model_copy(update={"n": 9})).sample(visible, target, rng)


@breaks("chains", "evidence_is_what_was_asked_for", "the query and target asked")
class Elsewhere(ClosedUniform):
    def sample(self, visible, target, rng):
        return replace(super().sample(visible, target, rng), target=target + 1)


@breaks("chains", "chains_are_walks_in_the_visible_graph", "edges of the log")
class Inventive(ClosedUniform):
    def chains(self, visible, target, rng):
        chains = super().chains(visible, target, rng)
        return [replace(c, edges=(*c.edges[:2], replace(c.edges[2], rating=4.75))) for c in chains]


@breaks("chains", "no_two_chains_are_alike", "two chains of one chain")
class Stuttering(ClosedUniform):
    def chains(self, visible, target, rng):
        return super().chains(visible, target, rng)[:1] * 2


@breaks("chains", "bundles_are_exact", "what the graph counts")
class Rounding(ClosedUniform):
    def sample(self, visible, target, rng):
        found = super().sample(visible, target, rng)
        return replace(found, bundles=tuple(replace(b, n_anchor=b.n_anchor + 1) for b in found.bundles))


@breaks("chains", "the_same_generator_gives_the_same_evidence", "the same generators, questions in reverse order")
class Unseeded(ClosedUniform):
    def sample(self, visible, target, rng):
        self.asked = getattr(self, "asked", 0) + 1
        return super().sample(visible, target, np.random.default_rng(self.asked))


@breaks("chains", "what_the_query_must_not_see_changes_nothing", "another future")
class Peeking(ClosedUniform):
    def sample(self, visible, target, rng):
        found = super().sample(visible, target, rng)
        return replace(found, chains=(), bundles=()) if of_the_future(visible) else found


# Prompts.


@breaks("prompts", "the_same_question_gives_the_same_prompt", "the same prompt")
class Counting(ProgressiveMask):
    def piece(self, step, question, wording):
        return f"{super().piece(step, question, wording)} {turns('piece')}"


@breaks("prompts", "pieces_are_kept_or_counted", "tokens 0")
class Free(ProgressiveMask):
    def render(self, question, wording, count):
        return replace(super().render(question, wording, count), tokens=0)


@breaks("prompts", "a_step_does_not_know_the_next", "other pieces after step")
class Hasty(ProgressiveMask):
    def piece(self, step, question, wording):
        return f"{super().piece(step, question, wording)} {sum(b.n_peers for b in question.evidence.bundles)}"


@breaks("prompts", "what_the_query_must_not_see_is_in_no_prompt", "another future")
class Clairvoyant(ProgressiveMask):
    def piece(self, step, question, wording):
        return super().piece(step, question, wording) + " soon" * of_the_future(question.visible)


@breaks("prompts", "titles_are_harmless", "tags and masks with hostile titles")
class Trusting(ProgressiveMask):
    def piece(self, step, question, wording):
        return f"{super().piece(step, question, wording)} {question.catalog.titles[question.target]}"


@breaks("prompts", "sound_completions_read_back", "a valid reading with answer")
class Exclaiming(ProgressiveMask):
    def complete(self, thoughts, answer, wording):
        return super().complete(thoughts, answer, wording) + "!"


@breaks("prompts", "garbage_is_not_an_answer", "an invalid reading that says what is wrong")
class Lenient(ProgressiveMask):
    def read(self, completion, prompt, wording):
        reading = super().read(completion, prompt, wording)
        return reading if reading.valid else Reading((), 3)


@breaks("prompts", "a_teacher_is_told_no_answer_that_is_masked", "another answer")
class Telling(ProgressiveMask):
    def taught(self, prompt, answer, wording):
        return replace(prompt, ask=f"{prompt.ask} {answer}")


# Teachers.


class Rewritten(Template):
    """Thoughts of the template, changed."""

    def explain(self, lessons, wording):
        written = zip(lessons, super().explain(lessons, wording), strict=True)
        return [self.changed(k, lesson, thoughts) for k, (lesson, thoughts) in enumerate(written)]


@breaks("teachers", "one_thought_per_step", "one per step")
class Brief(Rewritten):
    def changed(self, k, lesson, thoughts):
        return thoughts[:-1]


@breaks("teachers", "the_answer_does_not_matter", "another true answer")
class Leaking(Rewritten):
    def changed(self, k, lesson, thoughts):
        return tuple(replace(thought, forecast=lesson.answer) for thought in thoughts)


@breaks("teachers", "later_steps_do_not_matter", "without the later steps")
class Foreseeing(Rewritten):
    def changed(self, k, lesson, thoughts):
        return tuple(replace(thought, weight=len(lesson.steps) % 3) for thought in thoughts)


@breaks("teachers", "lessons_do_not_influence_each_other", "lessons in reverse order")
class Ranking(Rewritten):
    def changed(self, k, lesson, thoughts):
        return tuple(replace(thought, weight=k % 3) for thought in thoughts)


@breaks("teachers", "identity_is_stable", "one identity")
class Nameless(Template):
    def identity(self):
        return f"{turns('identity')}"


NAMES = {family: {rule.name for rule in contract_of(family).rules} for family in FAMILIES}


@pytest.mark.parametrize(("family", "cls", "config", "rule", "says"), BROKEN)
def test_it_is_caught(family, cls, config, rule, says):
    with pytest.raises(ContractError, match=says) as caught:
        contract_of(family).check(cls(config), only=rule if rule in NAMES[family] else None)
    assert caught.value.rule == rule
    assert all(word in str(caught.value) for word in (cls.__name__, rule, caught.value.got, caught.value.expected))


@pytest.mark.parametrize("family", FAMILIES)
def test_no_rule_is_without_a_component_that_breaks_it(family):
    shown = {param.values[3] for param in BROKEN if param.values[0] in {family, "chains"}}
    assert {rule.name for rule in contract_of(family).rules} <= shown
