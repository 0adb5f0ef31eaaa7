"""Chains, prompts and teachers that break a rule."""

from dataclasses import replace

import numpy as np

from r2rec_bench.chains.closed_uniform import ClosedUniform, ClosedUniformConfig
from r2rec_bench.core.texts import Reading
from r2rec_bench.prompts.progressive_mask import ProgressiveMask
from r2rec_bench.testing.worlds import CANARY
from r2rec_bench.traces.template import Template
from tests.testing.broken.marks import breaks, turns

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
