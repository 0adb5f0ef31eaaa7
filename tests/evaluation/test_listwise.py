"""Lists of candidates with letters: what is read, what is chosen, and that places cancel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from r2rec_bench.evaluation.metrics.base import ranks
from r2rec_bench.prompts.list_wording import LETTERS
from tests.evaluation.scripted import DIRECT, LIST, THINKS, Scripted, always, figures, lists_of, listwise, silent, words


def test_the_score_is_the_mean_log_probability_of_a_candidates_letter(ask):
    taste, place = {30: 5.0, 7: 3.0, 12: 2.0}, (4.0, 2.0, 1.0)

    def likes(films):
        # The letters share half of the distribution; the other half is on tokens that are no letter.
        return [0.05 * taste[film] * bias / 4 for film, bias in zip(films, place, strict=True)]

    asked = ask(LIST)
    ranking = listwise(2).rank(Scripted(likes), [asked], DIRECT, silent)
    expected = np.zeros(3)
    for order in listwise(2).orders(asked):
        weight = np.array([taste[LIST[column]] * bias for column, bias in zip(order, place, strict=True)])
        expected[order] += np.log(weight / weight.sum()) / 2
    np.testing.assert_allclose(ranking.scores[0], expected)
    assert ranking.valid.all()
    assert np.isnan(ranking.ratings).all()


@pytest.mark.parametrize("by", ["likelihood", "generation"])
@pytest.mark.parametrize("rounds", [1, 2])
def test_a_preference_for_places_cancels_exactly_and_all_candidates_tie(ask, by, rounds):
    places = np.random.default_rng(1).dirichlet(np.ones(7))
    places[::-1].sort()
    model = Scripted(lambda films: places, always("A"))
    asked = [ask(range(20, 27), user) for user in range(6)]
    ranking = listwise(7 * rounds, by=by).rank(model, asked, DIRECT, silent)
    assert (ranking.scores == ranking.scores[:, :1]).all()
    assert ranks(ranking, lists_of(ranking.scores)).tolist() == [7] * 6  # ties lose


@given(permutations=st.integers(1, 45), seed=st.integers(0, 99))
def test_no_candidate_stands_twice_in_a_place_before_it_has_stood_in_all(ask, permutations, seed):
    orders = listwise(permutations, seed=seed).orders(ask(range(20)))
    assert (np.sort(orders, axis=1) == np.arange(20)).all()
    for first in range(0, permutations, 20):
        turns = orders[first : first + 20]
        assert all(len(set(turns[:, place].tolist())) == len(turns) for place in range(20))


def test_few_orders_put_a_candidate_in_places_spread_over_the_list(ask):
    place = np.argsort(listwise(4).orders(ask(range(20))), axis=1)
    assert (np.diff(np.sort(place, axis=0), axis=0) == 5).all()


def test_each_query_and_each_seed_has_orders_of_its_own(ask):
    first = listwise().orders(ask(range(20))).tolist()
    assert listwise().orders(ask(range(20), user=1)).tolist() != first
    assert listwise(seed=1).orders(ask(range(20))).tolist() != first
    assert listwise().orders(ask(range(20))).tolist() == first


@given(films=st.permutations(list(range(20, 28))), by=st.sampled_from(["likelihood", "generation"]))
def test_scores_do_not_depend_on_the_columns_in_which_candidates_stand(ask, films, by):
    model = Scripted(
        lambda films: np.array(films) * np.arange(1, 9) / 1e4,
        lambda films, stop: f"<answer> {LETTERS[sum(films[:3]) % 8]}</answer>",
    )
    usual = list(range(20, 28))
    here = listwise(by=by).rank(model, [ask(films)], DIRECT, silent)
    there = listwise(by=by).rank(model, [ask(usual)], DIRECT, silent)
    assert dict(zip(films, here.scores[0].tolist(), strict=True)) == dict(
        zip(usual, there.scores[0].tolist(), strict=True)
    )


def test_generated_letters_are_votes(ask):
    asked = ask(LIST)
    choice = iter((7, 7, 30))

    def writes(films, stop):
        return f"<answer>{LETTERS[films.index(next(choice))]}</answer>\n"

    ranking = listwise(by="generation").rank(Scripted(writes=writes), [asked], DIRECT, silent)
    np.testing.assert_allclose(ranking.scores, [[1 / 3, 2 / 3, 0]])


@pytest.mark.parametrize(
    "text", ["<answer> Z</answer>", "<answer> D</answer>", "A", "", "<answer> A", "So <answer> A</answer>"]
)
def test_what_is_no_letter_of_the_list_is_no_answer(ask, text):
    model = Scripted(writes=lambda films, stop: text)
    ranking = listwise(by="generation").rank(model, [ask(LIST)], DIRECT, silent)
    assert not ranking.valid.any()
    assert np.isnan(ranking.scores).all()


def test_orders_without_an_answer_have_no_say_and_are_counted(ask):
    answers = iter(("nothing", "<answer> B</answer>", "nothing", "nothing"))
    model = Scripted(writes=lambda films, stop: next(answers))
    ranking = listwise(4, by="generation").rank(model, [ask(LIST)], DIRECT, silent)
    chosen = listwise(4).orders(ask(LIST))[1, 1]
    assert ranking.scores[0].tolist() == [float(column == chosen) for column in range(3)]
    assert ranking.valid.all()
    assert figures(ranking)["list_valid"] == 0.25


def test_a_list_whose_likeliest_token_is_no_letter_has_no_say(ask):
    model = Scripted(lambda films: (0.8, 0.1, 0.1), valid=lambda films: films[0] == 7)
    ranking = listwise().rank(model, [ask(LIST)], DIRECT, silent)
    np.testing.assert_allclose(ranking.scores[0], np.log([0.1, 0.8, 0.1]))
    assert figures(ranking)["list_valid"] == pytest.approx(1 / 3)


@pytest.mark.parametrize("by", ["likelihood", "generation"])
@pytest.mark.parametrize("ended", [True, False])
def test_a_letter_inside_the_thoughts_is_never_the_answer(ask, by, ended):
    def writes(films, stop):
        if stop == "</answer>":
            return "\n<answer> A</answer>"
        return "<think> <answer> C</answer> it is C" + (" </think> <answer> C</answer>" if ended else "")

    model = Scripted(lambda films: (0.8, 0.1, 0.1), writes)
    ranking = listwise(1, by=by).rank(model, [ask(LIST)], THINKS, silent)
    assert ranking.valid.all() == ended
    if ended:
        assert ranking.scores[0].argmax() == listwise(1).orders(ask(LIST))[0, 0]
        told = listwise(1, by=by).retold(ask(LIST), 0, ranking.cases[0][0].completion, THINKS, words)
        assert told.verdict.endswith("the answer was A")
    else:
        assert np.isnan(ranking.scores).all()


def test_the_model_thinks_before_the_answer_only_where_the_strategy_does(ask):
    model = Scripted(writes=lambda films, stop: "<think> so </think>")
    listwise(1).rank(model, [ask(LIST)], DIRECT, silent)
    assert not model.texts
    listwise(1).rank(model, [ask(LIST)], THINKS, silent)
    assert len(model.texts) == 1
    assert "Answer at once" in model.prompts[0].system
    assert "Think step by step" in model.prompts[1].system


def test_cases_cost_and_progress(ask):
    asked = [ask(LIST, user) for user in range(2)]
    told: list[tuple[int, int]] = []
    model = Scripted(writes=always("B"))
    ranking = listwise(2, by="generation").rank(model, asked, DIRECT, lambda done, n: told.append((done, n)))
    for row in range(2):
        [case] = {(case.prompt, case.completion) for case in ranking.cases[row]}
        assert case == (model.prompts[row].content, "<answer> B</answer>")
    assert ranking.cost.prompt_tokens == 4  # the scripted model's: one for each list
    assert ranking.cost.completion_tokens == 4
    assert told[-1] == (6, 6)
    assert sorted(told) == told
