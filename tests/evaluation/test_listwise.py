"""Lists of candidates with letters: what is read, what is chosen, and what the place in the list does to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from r2rec_bench.chains.base import ChainSampler, chain_samplers
from r2rec_bench.core.errors import InputError
from r2rec_bench.core.texts import Prompt
from r2rec_bench.core.types import (
    RATINGS,
    Candidates,
    Choices,
    Cost,
    InteractionLog,
    ItemCatalog,
    Query,
    Ranking,
    Visibility,
)
from r2rec_bench.evaluation.base import Reader
from r2rec_bench.evaluation.metrics.base import Answered, ranks
from r2rec_bench.evaluation.metrics.position_bias import PositionBias
from r2rec_bench.evaluation.rankers.listwise import Listwise, ListwiseConfig
from r2rec_bench.graph import InteractionGraph
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.llm.scores import OutcomeScores
from r2rec_bench.prompts.base import Asked, PromptStrategy, StrategyConfig
from r2rec_bench.prompts.compact import Compact
from r2rec_bench.prompts.direct import Direct
from r2rec_bench.prompts.list_wording import LETTERS
from r2rec_bench.prompts.lists import listed
from r2rec_bench.prompts.one_shot_mask import OneShotMask
from r2rec_bench.prompts.progressive_mask import ProgressiveMask
from r2rec_bench.prompts.verbose import Verbose
from r2rec_bench.prompts.verbose_list import VerboseList
from r2rec_bench.traces.collect import Asker

ITEMS = 40
CATALOG = ItemCatalog(tuple(f"Film {item}" for item in range(ITEMS)), ("",) * ITEMS)
DIRECT, THINKS = Reader(Direct(), Verbose()), Reader(ProgressiveMask(), Verbose())
LIST = (30, 7, 12)


def words(text: str) -> int:
    return len(text.split())


def silent(done: int, n: int) -> None:
    """Progress that nobody watches."""


@pytest.fixture(scope="module")
def graph() -> InteractionGraph:
    """Thirty people, each with twelve rated films in some order."""
    rng = np.random.default_rng(0)
    items = np.concatenate([rng.choice(ITEMS, 12, replace=False) for _ in range(30)])
    log = InteractionLog(
        np.repeat(np.arange(30), 12).astype(np.int32),
        items.astype(np.int32),
        rng.integers(1, 6, len(items)).astype(np.float32),
        np.arange(len(items), dtype=np.int64),
        tuple(f"u{user}" for user in range(30)),
        tuple(f"i{item}" for item in range(ITEMS)),
    )
    return InteractionGraph(log, Visibility.FOLD)


@pytest.fixture(scope="module")
def ask(graph) -> Callable[..., list[Asked]]:
    """The questions about some films, of a user who has seen eight."""

    def asked(
        items: Sequence[int], user: int = 0, strategy: PromptStrategy | None = None, sampler: ChainSampler | None = None
    ) -> list[Asked]:
        sampler = sampler or chain_samplers.get("none")()
        asker = Asker(graph, CATALOG, sampler, strategy or Direct(), Verbose(), words, (0, *RATINGS), 0)
        return asker.prompts(Query(user, 10**6, 8), items)

    return asked


def listed_films(prompt: Prompt) -> list[int]:
    """The films of a list, from its first place on; their letters must follow each other."""
    named = [re.match(r'([A-Z])\. "Film (\d+)"', piece) for piece in prompt.pieces]
    assert [match[1] for match in named if match] == list(LETTERS[: len(named)])
    return [int(match[2]) for match in named if match]


class Scripted(LanguageModel):
    """Answers lists as a test says: a distribution over places, or a text, given the films in their order.

    Args:
        likes: the films of a list → a probability per place.
        writes: the films of a list and the text that stops it → what is written.
        valid: the films of a list → whether a letter is the likeliest of all tokens.
    """

    remembers = False  # it has no model to remember with

    def __init__(
        self,
        likes: Callable[[list[int]], Sequence[float]] = lambda films: [1 / len(films)] * len(films),
        writes: Callable[[list[int], str], str] = lambda films, stop: "",
        valid: Callable[[list[int]], bool] = lambda films: True,
    ) -> None:
        self.likes, self.writes, self.valid = likes, writes, valid
        self.prompts: list[Prompt] = []
        self.texts: list[str] = []

    def count(self, text):
        return words(text)

    def encode(self, prompts):
        self.prompts += prompts
        return [[len(self.prompts) - len(prompts) + k] for k in range(len(prompts))]

    def encode_texts(self, texts):
        return [[0] * words(text) for text in texts]

    def films(self, ids):
        return listed_films(self.prompts[ids[0]])

    def outcome_scores(self, prompts, outcomes):
        assert list(outcomes) == [f" {letter}" for letter in LETTERS[: len(outcomes)]]
        rows = [self.films(ids) for ids in prompts]
        p = np.array([self.likes(films) for films in rows], dtype=np.float64)
        return OutcomeScores(np.log(p), np.array([self.valid(films) for films in rows]))

    def generate(self, prompts, stop, max_new_tokens, *, sampling=None, progress=None):
        self.texts += [self.writes(self.films(ids), stop) for ids in prompts]
        if progress:
            progress(len(prompts))
        return [[len(self.texts) - len(prompts) + k] for k in range(len(prompts))]

    def decode(self, completions):
        return [self.texts[ids[0]] for ids in completions]


def listwise(permutations: int = 3, **settings) -> Listwise:
    return Listwise(ListwiseConfig(permutations=permutations, **settings))


def always(letter: str) -> Callable[[list[int], str], str]:
    return lambda films, stop: f"<answer> {letter}</answer>"


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


def lists_of(scores: np.ndarray) -> Candidates:
    queries = tuple(Query(k, 0, 1) for k in range(len(scores)))
    positive = np.arange(len(scores), dtype=np.int32) % scores.shape[1]
    nothing = np.full(len(scores), np.nan, np.float32)
    return Candidates(queries, np.zeros(scores.shape, np.int32), positive, nothing, "")


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


def test_a_wording_without_letters_and_a_list_with_too_many_are_refused(ask):
    compact = Reader(Direct(), Compact())
    with pytest.raises(InputError, match=r"listwise .* the wording 'compact' has no words.*prompts\.wording: verbose"):
        listwise().rank(Scripted(), [ask(LIST)], compact, silent)
    with pytest.raises(InputError, match=r"27 candidates, but only 26 letters\. Set candidates\.n to 25 or less"):
        listwise().rank(Scripted(), [ask(range(27))], DIRECT, silent)
    assert not listwise().problem(DIRECT, 26)


SAMPLER = {"evidence": "bundle", "n": 4, "order": "any"}


def bundled(**settings) -> ChainSampler:
    cls = chain_samplers.get("closed_uniform")
    return cls(cls.config_type().model_validate(SAMPLER | settings))


def test_a_list_says_the_history_once_and_the_evidence_under_each_candidate(ask):
    asked = ask(LIST, sampler=bundled())
    content = listed(asked, Direct(), Verbose(), VerboseList(), words).prompt([2, 0, 1]).content
    lines = content.splitlines()
    assert content.count("Latest items of the user") == 1
    assert lines[0].startswith("Latest items of the user")
    assert lines[-1].startswith("Which candidate, A to C, does the user interact with next?")
    begins = [lines.index(next(line for line in lines if line.startswith(f'{letter}. "Film'))) for letter in "ABC"]
    told = [lines[begin + 1 : end] for begin, end in zip(begins, [*begins[1:], -1], strict=True)]
    assert [len(pieces) for pieces in told] == [len(asked[column].steps) for column in (2, 0, 1)]
    assert told[0] == list(asked[2].prompt.pieces)


def test_the_latest_item_is_named_once_more_on_request(ask):
    asked = ask(LIST)
    latest = int(asked[0].question.visible.history_items()[-1])
    said = f'The very latest of them is "Film {latest}".'
    for recency in (True, False):
        model = Scripted()
        listwise(1, recency=recency).rank(model, [asked], DIRECT, silent)
        assert (said in model.prompts[0].content) == recency


@pytest.mark.parametrize("strategy", [Direct, OneShotMask])
@pytest.mark.parametrize("evidence", ["bundle", "single"])
def test_every_candidate_keeps_as_much_evidence_as_the_budget_has_for_all(ask, strategy, evidence):
    sampler = bundled(evidence=evidence)
    asked = ask(LIST, strategy=strategy(), sampler=sampler)
    units = 1 if evidence == "bundle" else 3
    pieces = [sum(len(step.parts) or 1 for step in one.steps) for one in asked]
    assert min(pieces) >= 3 * units
    whole = listed(asked, strategy(), Verbose(), VerboseList(), words)
    assert [entry.dropped for entry in whole.entries] == [0, 0, 0]
    kept: list[tuple[int, ...]] = []
    for budget in range(whole.frame.tokens, 0, -1):
        try:
            listing = listed(asked, strategy(StrategyConfig(budget=budget)), Verbose(), VerboseList(), words)
        except InputError as error:
            least = next(int(number) for number in re.findall(r"alone takes (\d+)", str(error)))
            assert least == budget + 1
            assert kept[-1] == (0, 0, 0)
            break
        assert listing.frame.tokens <= budget
        assert words(listing.prompt([0, 1, 2]).system + " " + listing.prompt([1, 0, 2]).content) <= budget
        told = tuple(sum(len(step.parts) or 1 for step in entry.steps) for entry in listing.entries)
        assert told == tuple(min(one, max(told)) for one in pieces)
        assert all(count % units == 0 for count in told)
        assert [entry.dropped for entry in listing.entries] == [a - b for a, b in zip(pieces, told, strict=True)]
        kept.append(told)
    assert len(set(kept)) == max(pieces) // units + 1


def test_a_list_that_cannot_fit_names_the_settings_that_make_it_shorter(ask):
    with pytest.raises(InputError, match=r"prompts\.budget: 20 tokens, but the list of 3 candidates .* candidates\.n"):
        listed(ask(LIST), Direct(StrategyConfig(budget=20)), Verbose(), VerboseList(), words)


def test_what_was_read_and_chosen_can_be_told_again(ask):
    asked = ask(LIST, strategy=Direct(), sampler=bundled())
    reader = Reader(Direct(StrategyConfig(budget=250)), Verbose())
    model = Scripted(lambda films: [0.8 if film == 7 else 0.1 for film in films])
    ranking = listwise().rank(model, [asked], reader, silent)
    verdicts: list[str] = []
    for column, case in enumerate(ranking.cases[0]):
        told = listwise().retold(asked, column, case.completion, reader, words)
        assert told.asked.prompt.content == case.prompt
        assert told.asked.prompt.dropped == len(asked[column].steps) - len(told.asked.steps) > 0
        verdicts.append(told.verdict.split()[0])
    assert verdicts == ["not", "chosen", "not"]
    unread = listwise().retold(asked, 0, "A it is", reader, words)
    assert unread.verdict == "no answer that could be read"
    assert unread.reading.problems == ("answer",)


def figures(ranking: Ranking) -> dict[str, float]:
    """Of the first query."""
    nobody = np.zeros(ITEMS, np.int64)
    columns = PositionBias().per_user(Answered(ranking, lists_of(ranking.scores), nobody, nobody))
    return {name: float(values[0]) for name, values in columns.items()}


def of_choices(order: list[list[int]], share: list[list[float]]) -> Ranking:
    values = np.zeros((1, len(order[0])))
    choices = Choices(np.array([order], np.int32), np.array([share]))
    return Ranking(values, values, values == 0, Cost(), choices=choices)


def test_position_bias_by_hand():
    turned = [[0, 1, 2], [1, 2, 0], [2, 0, 1]]
    by_place = of_choices(turned, [[1, 0, 0]] * 3)
    assert figures(by_place) == pytest.approx(
        {"list_valid": 1, "list_place": 0, "list_place_tv": 2 / 3, "list_consistency": 0}
    )
    by_candidate = of_choices(turned, [[1, 0, 0], [0, 0, 1], [0, 1, 0]])
    assert figures(by_candidate) == pytest.approx(
        {"list_valid": 1, "list_place": 0.5, "list_place_tv": 0, "list_consistency": 1}
    )
    mixed = of_choices(turned, [[0.5, 0.25, 0.25], [0, 0.2, 0.8], [np.nan] * 3])
    # By place .25, .225, .525; candidate 0 is chosen by both.
    assert figures(mixed) == pytest.approx(
        {"list_valid": 2 / 3, "list_place": 0.6375, "list_place_tv": 0.525 - 1 / 3, "list_consistency": 1}
    )


def test_position_bias_is_unknown_without_an_answer_a_second_order_or_a_list():
    nothing = figures(of_choices([[0, 1]], [[np.nan, np.nan]]))
    assert nothing.pop("list_valid") == 0
    assert np.isnan(list(nothing.values())).all()
    assert np.isnan(figures(of_choices([[0, 1]], [[1, 0]]))["list_consistency"])
    assert np.isnan(list(figures(replace(of_choices([[0, 1]], [[1, 0]]), choices=None)).values())).all()
