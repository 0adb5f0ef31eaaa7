import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from r2rec_bench.core.texts import Thought
from r2rec_bench.core.types import NONE_RATING, RATINGS, Bundle, Chain, Edge, Evidence, ItemCatalog, Query
from r2rec_bench.graph import Audience
from r2rec_bench.llm.nano import new_tokenizer
from r2rec_bench.prompts.compact import MAX_STEPS, Compact, vocabulary
from r2rec_bench.prompts.steps import steps_of
from r2rec_bench.prompts.wording import Thinking

WORDING = Compact()
NO_TITLES = ItemCatalog((), ())
NAN = math.nan
_MEANS = st.one_of(st.floats(1, 5), st.just(NAN))
_WEIGHTS, _OUTCOMES = st.integers(-2, 2), st.integers(0, 5)


def pieces(evidence: Evidence) -> list[str]:
    return [WORDING.piece(step, evidence.target, NO_TITLES) for step in steps_of(evidence)]


@given(data=st.data())
def test_every_word_that_can_be_said_is_in_the_vocabulary(any_evidence, data):
    evidence = data.draw(any_evidence(12))
    steps = steps_of(evidence)
    own = np.array(data.draw(st.lists(_MEANS, max_size=4)), np.float32)
    audience = Audience(data.draw(st.integers(0, 2**31)), data.draw(_MEANS))
    visible = SimpleNamespace(history_ratings=lambda: own, audience=lambda target: audience)
    outcomes = data.draw(st.sampled_from([RATINGS, (NONE_RATING, *RATINGS)]))
    thinking = data.draw(st.sampled_from(Thinking))
    weighed = [Thought(step.number, data.draw(_WEIGHTS), data.draw(_OUTCOMES)) for step in steps]
    thoughts = [
        replace(thought, text=WORDING.thought(thought, step, 7, NO_TITLES))
        for thought, step in zip(weighed, steps, strict=True)
    ]
    texts = [
        WORDING.system(thinking, outcomes),
        WORDING.head(visible, 7, NO_TITLES, 10),
        *pieces(evidence),
        WORDING.ask(7, NO_TITLES, outcomes, thinking),
        WORDING.complete(thoughts if thinking is Thinking.STEPS else None, data.draw(st.sampled_from(outcomes))),
    ]
    assert set(" ".join(texts).split()) <= set(vocabulary())


def test_the_vocabulary_has_every_step_once_and_stays_small():
    words = vocabulary()
    assert len(words) == len(set(words)) < 500
    assert {f"#{number}" for number in range(1, MAX_STEPS + 1)} <= set(words)
    assert f"#{MAX_STEPS + 1}" not in words


def test_the_tokenizer_of_nano_gives_every_word_one_token_of_its_own():
    tokenizer = new_tokenizer()
    ids = tokenizer(" ".join(vocabulary()), add_special_tokens=False)["input_ids"]
    assert len(set(ids)) == len(vocabulary())
    assert tokenizer.unk_token_id not in ids


def test_a_bundle_is_said_in_logs_and_quarters():
    bundle = Bundle(Edge(0, 3, 5.0, 0, 0), 1, 310, 200, 120, 2.9, 40, 8.0, 4.4, 12, 4.6)
    assert pieces(Evidence(Query(0, 0, 1), 7, bundles=(bundle,))) == ["#1 r5 L1.5 F3 m4.5"]


def test_missing_values_are_said_to_be_missing():
    bundle = Bundle(Edge(0, 3, NAN, 0, 0), 1, 3, 0, 0, 1.0, 0, 1.0, NAN, 0, NAN)
    assert pieces(Evidence(Query(0, 0, 1), 7, bundles=(bundle,))) == ["#1 r- L0 F0 m-"]
    visible = SimpleNamespace(history_ratings=lambda: np.full(2, np.nan), audience=lambda target: Audience(3, NAN))
    assert WORDING.head(visible, 7, NO_TITLES, 10) == "u- n2 m-"


@pytest.mark.parametrize(("gap", "word"), [(1, "g1"), (-1, "g-1"), (3, "g2"), (-10_000, "g-12"), (0, "g0")])
def test_chains_of_four_and_six_hops_are_told_edge_by_edge(gap, word):
    own, shared, arrived = Edge(0, 1, 5.0, 0, 0), Edge(1, 1, 4.0, 0, 0), Edge(1, 7, 3.0, 0, 0)
    four = Chain((own, shared, arrived), gap, 0.0)
    assert pieces(Evidence(Query(0, 0, 1), 7, (four,))) == ["#1 u r5", "#2 s r4", f"#3 t r3 {word}"]
    onward, again = Edge(1, 2, 2.0, 0, 0), Edge(2, 2, NAN, 0, 0)
    six = Chain((own, shared, onward, again, arrived), gap, 0.0)
    said = ["#4 u r5", "#5 s r4", "#6 v r2", "#7 s r-", f"#8 t r3 {word}"]
    assert pieces(Evidence(Query(0, 0, 1), 7, (four, six)))[3:] == said
