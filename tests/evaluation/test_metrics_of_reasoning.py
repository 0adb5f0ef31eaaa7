"""What thoughts are worth: grounding, forecasts, and whether answers rest on what the thoughts call decisive."""

import math
from typing import cast

import numpy as np
import pytest

from r2rec_bench.core.texts import Prompt, Thought
from r2rec_bench.core.types import Bundle, Candidates, Case, Chain, Cost, Edge, Evidence, ItemCatalog, Query, Ranking
from r2rec_bench.evaluation.base import Reader
from r2rec_bench.evaluation.metrics.base import Answered, Reasoning, metrics
from r2rec_bench.evaluation.metrics.counterfactual import Counterfactual, CounterfactualConfig
from r2rec_bench.graph import VisibleGraph
from r2rec_bench.prompts.base import Asked, Question
from r2rec_bench.prompts.compact import Compact
from r2rec_bench.prompts.direct import Direct
from r2rec_bench.prompts.one_shot_mask import OneShotMask
from r2rec_bench.prompts.progressive_mask import ProgressiveMask
from r2rec_bench.prompts.steps import steps_of
from r2rec_bench.prompts.verbose import Verbose

TARGET = 3
CATALOG = ItemCatalog(("Alien", "Brazil", "Casino", "Diva"), ("",) * 4)
NAN = math.nan
COMPACT, VERBOSE = Reader(ProgressiveMask(), Compact()), Reader(ProgressiveMask(), Verbose())


def bundle(forward_lift: float, anchor: int = 0) -> Bundle:
    """Ten of a hundred people of the anchor went on to the target; chance would be the lift's share of that."""
    return Bundle(Edge(0, anchor, 4.0, 0, 0), 1, 100, 100, 40, 1.0, 10, forward_lift, 4.0, 20, 4.0)


def chain(own: float, shared: float, onward: float) -> Chain:
    edges = (Edge(0, 0, own, 0, 0), Edge(5, 0, shared, 0, 0), Edge(5, TARGET, onward, 0, 1))
    return Chain(edges, 1, 1.0)


def asked(*pieces: Bundle | Chain, reader: Reader = COMPACT) -> Asked:
    """A question about this evidence; of its visible graph nothing is read here."""
    chains = tuple(piece for piece in pieces if isinstance(piece, Chain))
    bundles = tuple(piece for piece in pieces if isinstance(piece, Bundle))
    question = Question(
        cast("VisibleGraph", None), TARGET, Evidence(Query(0, 0, 1), TARGET, chains, bundles), CATALOG, tuple(range(6))
    )
    steps = reader.strategy.revealed(steps_of(question.evidence))
    told = tuple(reader.strategy.piece(step, question, reader.wording) for step in steps)
    return Asked(question, Prompt("", "head", told, "ask", reader.wording.mask, 0, 9), steps)


def answered(questions, completions, *, reader=COMPACT, rating=NAN, scores=None, again=None) -> Answered:
    """One user; the positive stands first, and so is recommended unless `scores` say otherwise."""
    c = len(questions)
    lists = Candidates(
        (Query(0, 0, 1),), np.arange(c, dtype=np.int32)[None], np.zeros(1, np.int32), np.array([rating], np.float32), ""
    )
    scores = np.array([scores or [1.0] + [0.0] * (c - 1)])
    cases = tuple(Case(one.prompt.content, completion) for one, completion in zip(questions, completions, strict=True))
    ranking = Ranking(scores, scores, ~np.isnan(scores), Cost(), (cases,))
    return Answered(ranking, lists, np.ones(c, int), np.ones(1, int), Reasoning([questions], reader, again))


def completion(one: Asked, *said: tuple[int, int], reader: Reader = COMPACT) -> str:
    """Thoughts with these weights and forecasts, step by step, and the answer 4."""
    thoughts = [Thought(step.number, *what) for step, what in zip(one.steps, said, strict=True)]
    worded = [
        Thought(t.step, t.weight, t.forecast, reader.wording.thought(t, step, TARGET, CATALOG))
        for t, step in zip(thoughts, one.steps, strict=True)
    ]
    return reader.strategy.complete(worded, 4, reader.wording)


def value(name: str, about: Answered, column: str = "") -> float:
    [found] = metrics.get(name)().per_user(about)[column or name]
    return float(found)


def test_a_thought_that_names_what_is_not_yet_revealed_is_not_grounded():
    one = asked(bundle(2.0, 0), bundle(0.5, 1), reader=VERBOSE)
    sound = completion(one, (1, 4), (-1, 0), reader=VERBOSE)
    assert value("grounding", answered([one, one], [sound, sound], reader=VERBOSE)) == 1
    early = sound.replace('"Alien"', '"Brazil"', 1)  # the first thought names the second piece's item
    assert value("grounding", answered([one, one], [sound, early], reader=VERBOSE)) == 3 / 4


def test_a_wording_that_quotes_nothing_leaves_nothing_to_check():
    one = asked(bundle(2.0))
    assert math.isnan(value("grounding", answered([one], [completion(one, (1, 4))])))


def test_forecasts_of_edges_within_the_evidence_are_judged_for_all_candidates_and_the_closing_one_for_the_positive():
    # Of a chain rated 5, 3, 2 the first two thoughts forecast 3 and 2; the third forecasts the closing edge, here 5.
    one = asked(chain(5.0, 3.0, 2.0))
    said = completion(one, (1, 3), (0, 3), (0, 4))  # right, within one, within one
    assert value("step_forecast", answered([one, one], [said, said], rating=5.0)) == 2 / 5
    assert value("step_forecast", answered([one, one], [said, said], rating=5.0), "step_forecast_near") == 1
    assert value("step_forecast", answered([one, one], [said, said])) == 2 / 4


def test_a_forecast_of_no_interaction_is_near_no_rating():
    one = asked(bundle(2.0))
    said = answered([one], [completion(one, (1, 0))], rating=1.0)
    assert value("step_forecast", said) == 0
    assert value("step_forecast", said, "step_forecast_near") == 0


def test_what_nobody_rated_cannot_be_forecast():
    one = asked(chain(NAN, NAN, NAN))
    assert math.isnan(value("step_forecast", answered([one], [completion(one, (0, 3), (0, 3), (0, 3))])))


@pytest.mark.parametrize("name", ["grounding", "step_forecast", "counterfactual"])
def test_without_thoughts_there_is_nothing_to_judge(name):
    one = asked(bundle(2.0), reader=VERBOSE)
    silent = answered([one], ["<answer>4</answer>"], reader=Reader(Direct(), Verbose()), rating=4.0)
    garbled = answered([one], ["<think>\nhm\n</think>\n<answer>4</answer>"], reader=VERBOSE, rating=4.0)
    other = answered([one], [completion(one, (1, 4), reader=VERBOSE)], reader=VERBOSE, rating=4.0)
    ranking = Ranking(
        other.ranking.scores, other.ranking.ratings, other.ranking.valid, Cost(), ((Case("of a whole list", "C"),),)
    )
    listwise = Answered(ranking, other.candidates, other.item_seen, other.user_seen, other.reasoning)
    baseline = Answered(other.ranking, other.candidates, other.item_seen, other.user_seen)
    for about in (silent, garbled, listwise, baseline):
        assert all(np.isnan(values).all() for values in metrics.get(name)().per_user(about).values())


def evidence_of(one: Asked) -> float:
    """Log2 odds that the bundles of a question speak of."""
    return sum(math.log2(step.bundle.forward_lift) for step in one.steps if step.bundle is not None)


def scripted(score):
    """A model whose score of a question is `score` of it, and who keeps what it was asked."""
    heard = []

    def again(questions):
        heard.extend(questions)
        scores = np.array([[score(one) for one in row] for row in questions])
        return Ranking(scores, scores, ~np.isnan(scores), Cost())

    return again, heard


def outcome(score, *weights: int) -> tuple[dict[str, float], list]:
    """Counterfactual values for evidence with lifts of 4, 1/4 and 2, whose thoughts have these weights."""
    one = asked(bundle(4.0, 0), bundle(0.25, 1), bundle(2.0, 2))
    again, heard = scripted(score)
    said = completion(one, *((weight, 4) for weight in weights))
    found = Counterfactual().per_user(answered([one, asked(bundle(1.0))], [said, "none"], again=again))
    return {name: float(values[0]) for name, values in found.items()}, heard


def test_a_model_that_obeys_its_evidence_is_faithful_and_one_that_ignores_or_contradicts_it_is_not():
    obeys, heard = outcome(evidence_of, 2, -1, 0)
    assert obeys["counterfactual"] == 1
    whole, swapped, control = heard[0]
    shift = evidence_of(whole) - evidence_of(swapped)
    # Chance was 10.5 / 4 - 0.5 of them; with the reciprocal lift it is nearest to none.
    assert shift == pytest.approx(math.log2(4) - math.log2(0.5 / (10.5 / 4)))
    assert obeys["counterfactual_shift"] == pytest.approx(shift)
    assert [a == b for a, b in zip(whole.prompt.pieces, swapped.prompt.pieces, strict=True)] == [False, True, True]
    assert [a == b for a, b in zip(whole.prompt.pieces, control.prompt.pieces, strict=True)] == [True, True, False]
    assert obeys["counterfactual_control"] == 1  # this model reads the piece that it calls neutral
    ignores, _ = outcome(lambda one: 0.3, 2, -1, 0)
    assert ignores["counterfactual"] == ignores["counterfactual_shift"] == ignores["counterfactual_control"] == 0
    contradicts, _ = outcome(lambda one: -evidence_of(one), 2, -1, 0)
    assert contradicts["counterfactual"] == 0
    assert contradicts["counterfactual_shift"] == pytest.approx(-shift)


def test_evidence_against_must_raise_the_score_when_it_is_reversed():
    found, heard = outcome(evidence_of, 1, -2, 1)
    assert found["counterfactual"] == 1
    # 168 would have the reciprocal lift, but only a hundred people know the item.
    assert found["counterfactual_shift"] == pytest.approx(math.log2(100.5 / 42) - math.log2(0.25))
    assert math.isnan(found["counterfactual_control"])  # no piece is called neutral
    assert heard[0][1].prompt.pieces[1] != heard[0][0].prompt.pieces[1]


def test_a_thought_that_misreads_its_piece_is_not_borne_out():
    assert outcome(evidence_of, -2, 0, 0)[0]["counterfactual"] == 0


def test_without_a_weight_nothing_is_asked():
    found, heard = outcome(evidence_of, 0, 0, 0)
    assert heard == []
    assert all(math.isnan(one) for one in found.values())


def test_an_invalid_answer_says_nothing():
    assert math.isnan(outcome(lambda one: NAN, 2, -1, 0)[0]["counterfactual"])


def test_the_rounding_of_another_batch_is_no_movement():
    assert outcome(lambda one: 1e-6 * evidence_of(one), 2, -1, 0)[0]["counterfactual"] == 0


def test_a_rating_at_the_middle_of_the_scale_has_no_opposite():
    one = asked(chain(3.0, 3.0, 3.0))
    said = completion(one, (2, 3), (0, 3), (0, 3))
    assert math.isnan(value("counterfactual", answered([one], [said])))


def test_one_thought_about_everything_is_tested_with_everything_reversed():
    whole = Reader(OneShotMask(), Compact())
    one = asked(bundle(4.0, 0), bundle(2.0, 1), reader=whole)
    again, heard = scripted(lambda asked: sum(math.log2(part.bundle.forward_lift) for part in asked.steps[0].parts))
    said = answered([one], [completion(one, (2, 4), reader=whole)], reader=whole, again=again)
    assert value("counterfactual", said) == 1
    assert [part.bundle.forward_lift < 1 for part in heard[0][1].steps[0].parts] == [True, True]


def test_what_is_recommended_is_tested_not_what_was_taken():
    taken, recommended = asked(bundle(4.0, 0)), asked(bundle(2.0, 1))
    again, heard = scripted(evidence_of)
    both = [completion(taken, (2, 4)), completion(recommended, (2, 4))]
    Counterfactual().per_user(answered([taken, recommended], both, scores=[0.1, 0.9], again=again))
    assert heard[0][0] is recommended


def test_so_many_users_are_drawn_the_same_for_every_system():
    one = asked(bundle(4.0))
    said = completion(one, (2, 4))
    again, _ = scripted(evidence_of)
    single = answered([one], [said], again=again)
    q = 20
    lists = Candidates(
        tuple(Query(user, 0, 1) for user in range(q)),
        np.zeros((q, 1), np.int32),
        np.zeros(q, np.int32),
        np.full(q, NAN, np.float32),
        "",
    )
    ones = np.ones((q, 1))
    ranking = Ranking(ones, ones, ones > 0, Cost(), single.ranking.cases * q)
    about = Answered(ranking, lists, np.ones(1, int), np.ones(q, int), Reasoning([[one]] * q, COMPACT, again))
    config = CounterfactualConfig(users=5)
    found = Counterfactual(config).per_user(about)["counterfactual"]
    assert (~np.isnan(found)).sum() == 5
    np.testing.assert_array_equal(found, Counterfactual(config).per_user(about)["counterfactual"])
    other = Counterfactual(CounterfactualConfig(users=5, seed=1)).per_user(about)["counterfactual"]
    assert (np.isnan(other) != np.isnan(found)).any()
    assert not np.isnan(Counterfactual(CounterfactualConfig(users=None)).per_user(about)["counterfactual"]).any()
