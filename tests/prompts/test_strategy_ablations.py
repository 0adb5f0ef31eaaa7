"""What each ablation tells and hides; round trip, budget and vocabulary hold for every registered strategy."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.types import Bundle, Chain, Edge, Evidence, Query
from r2rec_bench.prompts.base import PromptStrategy, StrategyConfig, prompt_strategies
from r2rec_bench.prompts.compact import Compact, vocabulary
from r2rec_bench.prompts.progressive_mask import ProgressiveMask
from r2rec_bench.prompts.steps import Step
from r2rec_bench.prompts.verbose import Verbose
from r2rec_bench.prompts.wording import Thinking
from r2rec_bench.prompts.wordings import WORDINGS
from r2rec_bench.traces.base import Lesson
from r2rec_bench.traces.filters import grounded
from r2rec_bench.traces.template import Template

EITHER = pytest.mark.parametrize("wording", WORDINGS.values(), ids=list(WORDINGS))
EVERY = pytest.mark.parametrize("name", prompt_strategies.names())
QUERY = Query(0, 0, 2)
CHAIN = Chain((Edge(0, 0, 5.0, 0, 0), Edge(1, 0, 4.0, 0, 0), Edge(1, 7, 2.0, 0, 1)), 3, 1.0)
CHAINS = Evidence(QUERY, 7, (CHAIN, CHAIN))
BUNDLES = Evidence(
    QUERY, 7, bundles=tuple(Bundle(Edge(0, k, 5.0, 0, k), k + 1, 31, 20, 12, 2.9, 6, 8.0, 4.4, 9, 4.6) for k in (0, 1))
)


def words(text: str) -> int:
    return len(text.split())


def strategy(name: str, budget: int = 100_000) -> PromptStrategy:
    return prompt_strategies.get(name)(StrategyConfig(budget=budget))


def explained(strategy, asked, wording, answer=4):
    """The student's prompt, the teacher's, and the template's thoughts."""
    prompt = strategy.render(asked, wording, words)
    read = strategy.taught(prompt, answer, wording)
    [thoughts] = Template().explain([Lesson(asked, read, strategy.steps(asked, prompt), answer)], wording)
    return prompt, read, thoughts


def test_every_strategy_of_the_protocol_is_there():
    named = "progressive_mask direct zero_shot_cot chain_context one_shot_mask no_mask rating_hidden"
    assert set(named.split()) <= set(prompt_strategies.names())


@EVERY
@EITHER
@given(data=st.data(), answer=st.integers(0, 5))
def test_what_is_taught_reads_back_and_names_only_what_was_revealed(
    wording, name, question, any_evidence, data, answer
):
    asked = question(data.draw(any_evidence(4)))
    prompt, _, thoughts = explained(strategy(name), asked, wording, answer)
    assert len(thoughts) == len(prompt.pieces)
    completion = strategy(name).complete(thoughts, answer, wording)
    reading = strategy(name).read(completion, prompt, wording)
    assert reading.valid
    assert reading.answer == answer
    assert reading.thoughts == (thoughts if strategy(name).thinks else ())
    assert all(grounded(thought.text, prompt, thought.step) for thought in reading.thoughts)


@EVERY
@EITHER
@given(data=st.data(), budget=st.integers(16, 300))
def test_the_budget_holds(wording, name, question, any_evidence, data, budget):
    asked = question(data.draw(any_evidence(6)))
    try:
        prompt = strategy(name, budget).render(asked, wording, words)
    except InputError:
        assert strategy(name).render(question(Evidence(QUERY, 7)), wording, words).tokens > budget
        return
    whole = strategy(name).render(asked, wording, words)
    assert prompt.tokens == words(prompt.system) + words(prompt.content) <= budget
    assert (prompt.dropped > 0) == (whole.tokens > budget)
    steps = strategy(name).steps(asked, prompt)
    assert len(steps) == len(prompt.pieces)
    told = sum(len(step.parts) or 1 for step in steps)
    assert told + prompt.dropped == len(strategy(name).evidence(asked))


@EVERY
@given(data=st.data())
def test_the_compact_wording_keeps_to_its_vocabulary(name, question, any_evidence, data):
    asked = question(data.draw(any_evidence(6)))
    prompt, read, thoughts = explained(strategy(name), asked, Compact())
    said = [prompt.system, prompt.content, read.content, *(thought.text for thought in thoughts)]
    assert set(" ".join(said).split()) <= set(vocabulary())


@EVERY
@EITHER
def test_the_student_never_reads_the_answer(wording, name, question):
    """Whatever the true answer, the prompt is the same, and its closing edge is masked."""
    for evidence in (CHAINS, BUNDLES):
        prompts = [explained(strategy(name), question(evidence), wording, answer)[0] for answer in range(6)]
        assert all(prompt == prompts[0] for prompt in prompts)
        assert wording.mask in prompts[0].content.split("\n")[-1]


@EITHER
@pytest.mark.parametrize("name", sorted(set(prompt_strategies.names()) - {"no_mask"}))
def test_no_other_teacher_reads_more_than_the_student(wording, name, question):
    prompt, read, _ = explained(strategy(name), question(CHAINS), wording)
    assert read == prompt


@EITHER
@pytest.mark.parametrize("evidence", [CHAINS, BUNDLES])
def test_zero_shot_tells_no_evidence_and_thinks_freely(wording, evidence, question):
    prompt = strategy("zero_shot_cot").render(question(evidence), wording, words)
    nothing = strategy("zero_shot_cot").render(question(Evidence(QUERY, 7)), wording, words)
    assert prompt == nothing
    assert (prompt.pieces, prompt.dropped) == ((), 0)
    answer = wording.complete(None, 4)
    read = strategy("zero_shot_cot").read
    for free in ("", "It is like <b>Alien</b>, so 5? Weight: for. \n думаю, 4 #1 w9"):
        reading = read(f"<think>{free}</think> {answer}", prompt, wording)
        assert (reading.valid, reading.answer, reading.thoughts) == (True, 4, ())
    for cheat in (answer, f"<think>{answer}</think>", f"<think>x{answer}", f"well <think></think>{answer}"):
        assert read(cheat, prompt, wording).problems == (("answer",) if cheat.endswith("</think>") else ("think",))


@EITHER
@pytest.mark.parametrize("evidence", [CHAINS, BUNDLES])
def test_context_is_the_same_facts_without_their_numbers(wording, evidence, question):
    listed = strategy("chain_context").render(question(evidence), wording, words)
    stepped = strategy("direct").render(question(evidence), wording, words)
    unnumbered = [re.sub(r"^(#\d+|Step \d+:) ", "", piece) for piece in stepped.pieces]
    assert list(listed.pieces) == unnumbered
    assert list(stepped.pieces) != unnumbered
    assert replace(listed, pieces=(), tokens=0) == replace(stepped, pieces=(), tokens=0)


@EITHER
@pytest.mark.parametrize("evidence", [CHAINS, BUNDLES])
def test_one_mask_hides_all_evidence_until_one_thought_sees_it_all(wording, evidence, question):
    asked = question(evidence)
    prompt, _, [thought] = explained(strategy("one_shot_mask"), asked, wording)
    nothing = strategy("one_shot_mask").render(question(Evidence(QUERY, 7)), wording, words)
    hidden = prompt.view(0).split("\n")
    assert [line for line in hidden if line != wording.mask] == nothing.view(0).split("\n")
    assert len(hidden) == len(nothing.view(0).split("\n")) + 1
    facts = [wording.fact(step, 7, asked.catalog) for step in strategy("direct").evidence(asked)]
    assert " ".join(facts) in prompt.view(1)
    assert thought.step == 1
    two = strategy("one_shot_mask").complete([thought, replace(thought, step=2)], 4, wording)
    assert not strategy("one_shot_mask").read(two.replace("Step 1.", "Step 2.", 1), prompt, wording).valid


def test_the_one_thought_weighs_all_pieces_and_forecasts_from_all_of_them(question):
    *_, [thought] = explained(strategy("one_shot_mask"), question(BUNDLES), Compact())
    *_, each = explained(strategy("progressive_mask"), question(BUNDLES), Compact())
    assert (thought.weight, thought.forecast) == (2, each[-1].forecast)
    [step] = strategy("one_shot_mask").steps(
        question(CHAINS), strategy("one_shot_mask").render(question(CHAINS), Compact(), words)
    )
    assert step.outcome(answer=1) == 1


@EITHER
@pytest.mark.parametrize("evidence", [CHAINS, BUNDLES])
def test_without_masks_the_teacher_reads_everything_and_the_student_reads_what_it_always_does(
    wording, evidence, question
):
    asked = question(evidence)
    prompt, read, thoughts = explained(strategy("no_mask"), asked, wording, answer=2)
    assert prompt.content == ProgressiveMask().render(asked, wording, words).content
    assert {read.view(step) for step in range(len(read.pieces) + 1)} == {read.content}
    assert wording.mask not in read.content
    assert wording.outcome(2) in re.split(r"[\s—→]+", read.ask)
    assert [thought.forecast for thought in thoughts] == [
        step.outcome(2) for step in strategy("no_mask").steps(asked, prompt)
    ]


def rerated(evidence: Evidence, rating: float) -> Evidence:
    chains = [replace(c, edges=tuple(replace(edge, rating=rating) for edge in c.edges)) for c in evidence.chains]
    bundles = [
        replace(
            b, anchor=replace(b.anchor, rating=rating), mean_rating=rating, n_agree=int(rating), agree_rating=rating
        )
        for b in evidence.bundles
    ]
    return replace(evidence, chains=tuple(chains), bundles=tuple(bundles))


@EITHER
@given(data=st.data(), rating=st.sampled_from([1.0, 2.5, 5.0]))
def test_hidden_ratings_change_nothing_that_is_told_or_thought(wording, question, any_evidence, data, rating):
    evidence = data.draw(any_evidence(4))
    hidden = strategy("rating_hidden")
    one, other = (question(told) for told in (evidence, rerated(evidence, rating)))
    assert explained(hidden, one, wording) == explained(hidden, other, wording)
    told = [replace(step, next_rating=None) for step in hidden.steps(other, hidden.render(other, wording, words))]
    assert all(math.isnan(step.edge.rating) and not _ratings(step) for step in told)


def _ratings(step: Step) -> list[float]:
    edges = step.chain.edges if step.chain else ()
    means = (step.bundle.mean_rating, step.bundle.agree_rating) if step.bundle else ()
    return [rating for rating in (*(edge.rating for edge in edges), *means) if not math.isnan(rating)]


@EITHER
def test_hidden_ratings_are_not_in_the_head_either(wording, question):
    asked = question(CHAINS)
    visible = asked.visible
    harsh = type("Harsh", (), {
        "query": visible.query,
        "history_items": visible.history_items,
        "history_ratings": lambda self: np.ones_like(visible.history_ratings()),
        "audience": lambda self, target: replace(visible.audience(target), mean_rating=1.0),
    })()  # fmt: skip
    for name, same in (("rating_hidden", True), ("progressive_mask", False)):
        heads = [strategy(name).render(replace(asked, visible=v), wording, words).head for v in (visible, harsh)]
        assert (heads[0] == heads[1]) is same


def test_a_hidden_rating_is_still_what_thoughts_are_judged_by(question):
    asked = question(CHAINS)
    hidden = strategy("rating_hidden")
    steps = hidden.steps(asked, hidden.render(asked, Compact(), words))
    assert [step.outcome(answer=5) for step in steps] == [4, 2, 5, 4, 2, 5]


def test_the_instruction_asks_for_what_is_read(question):
    systems = {
        name: strategy(name).render(question(CHAINS), Verbose(), words).system for name in prompt_strategies.names()
    }
    assert "one line 'Step 1." in systems["one_shot_mask"]
    assert "Step" not in systems["zero_shot_cot"] + systems["chain_context"]
    assert systems["no_mask"] == systems["rating_hidden"] == systems["progressive_mask"]
    assert {strategy(name).thinking for name in prompt_strategies.names()} == set(Thinking)
