"""Rankers on a tiny nano model: what is averaged, what counts as invalid, what it costs."""

from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.texts import Prompt
from r2rec_bench.evaluation.base import Reader, rankers
from r2rec_bench.evaluation.rankers.interaction import Interaction
from r2rec_bench.evaluation.rankers.rating import Pointwise, PointwiseConfig, RatingExpectation, RatingInteraction
from r2rec_bench.evaluation.rankers.self_consistency import SelfConsistency, SelfConsistencyConfig
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.llm.nano import NanoShape, new_model, new_tokenizer
from r2rec_bench.llm.sampling import Sampling
from r2rec_bench.prompts.base import Asked, Question
from r2rec_bench.prompts.compact import Compact
from r2rec_bench.prompts.direct import Direct
from r2rec_bench.prompts.progressive_mask import ProgressiveMask

THINKS, DIRECT = Reader(ProgressiveMask(), Compact()), Reader(Direct(), Compact())
DISTRIBUTIONS = np.array([[0.5, 0.1, 0.1, 0.1, 0.1, 0.1], [0.1, 0.0, 0.0, 0.0, 0.4, 0.5]])


@pytest.fixture(scope="module")
def nano() -> LanguageModel:
    return LanguageModel(new_model(NanoShape(width=16, layers=1), seed=0), new_tokenizer())


def prompts(q: int = 2, c: int = 3) -> list[list[Asked]]:
    """Questions of which these rankers read the prompt alone."""
    nothing = cast("Question", None)
    return [
        [
            Asked(nothing, Prompt("", f"n{row}", (f"#1 r{1 + column} L0 F0 m-",), "[MASK] touch", "[MASK]", 0, 9), ())
            for column in range(c)
        ]
        for row in range(q)
    ]


def silent(done: int, n: int) -> None:
    """Progress that nobody watches."""


class Scripted(LanguageModel):
    """Writes and answers what a test says: a text and a distribution over 0 to 5 per draw, the same for all prompts."""

    remembers = False  # thoughts are written here, and answers asked for after them

    def __init__(self, nano: LanguageModel, texts: list[str], distributions: np.ndarray, valid: list[bool]) -> None:
        super().__init__(nano.model, nano.tokenizer)
        self.script = iter(zip(texts, distributions, valid, strict=True))
        self.samplings: list[Sampling | None] = []

    def generate(self, asked, stop, max_new_tokens, *, sampling=None, progress=None):
        self.samplings.append(sampling)
        text, self.distribution, self.valid = next(self.script)
        progress(len(asked))
        return self.encode_texts([text] * len(asked))

    def outcome_scores(self, asked, outcomes):
        scores = super().outcome_scores(asked, outcomes)
        said = np.log(np.maximum(self.distribution, 1e-30))
        return replace(scores, log_probabilities=np.tile(said, (len(asked), 1)), valid=np.full(len(asked), self.valid))


DONE = "<think> #1 w+1 f4 </think>"


def consistent(n: int = 2, **settings) -> SelfConsistency:
    return SelfConsistency(SelfConsistencyConfig(n=n, max_thought_tokens=8, **settings))


def test_the_score_is_that_of_the_mean_distribution(nano):
    model = Scripted(nano, [DONE, DONE], DISTRIBUTIONS, [True, True])
    ranking = consistent().rank(model, prompts(), THINKS, silent)
    mean = DISTRIBUTIONS.mean(axis=0)
    expected = (mean[1:] * range(1, 6)).sum() / mean[1:].sum()
    np.testing.assert_allclose(ranking.scores, 1 - mean[0], atol=1e-9)
    np.testing.assert_allclose(ranking.ratings, expected)
    assert ranking.valid.all()


@pytest.mark.parametrize("texts", [["<think> #1 w+1", DONE], [DONE, DONE]])
def test_a_reasoning_without_a_valid_answer_has_no_say(nano, texts):
    model = Scripted(nano, texts, DISTRIBUTIONS, [texts[0] != DONE, True])
    ranking = consistent().rank(model, prompts(), THINKS, silent)
    np.testing.assert_allclose(ranking.scores, 0.9, atol=1e-9)
    assert ranking.valid.all()
    assert ranking.cases[0][0].completion == f"{DONE} <answer> =5"


def test_what_is_not_a_number_is_no_answer(nano):
    broken = LanguageModel(new_model(NanoShape(width=16, layers=1), seed=0), new_tokenizer())
    broken.model.get_output_embeddings().weight.data[:] = np.nan
    likeliest = nano.tokenizer.decode([0])  # of numbers that are none, the first
    assert not broken.outcome_scores([[1, 2, 3]], [likeliest]).valid.any()
    ranking = RatingInteraction(PointwiseConfig()).rank(broken, prompts(), DIRECT, silent)
    assert not ranking.valid.any()
    assert np.isnan(ranking.scores).all()


def test_a_reasoning_that_ends_in_no_number_has_no_say(nano):
    model = Scripted(nano, [DONE, DONE], DISTRIBUTIONS * [[np.nan], [1]], [False, True])
    ranking = consistent().rank(model, prompts(), THINKS, silent)
    np.testing.assert_allclose(ranking.scores, 0.9, atol=1e-9)


def test_a_candidate_without_any_valid_answer_is_invalid(nano):
    model = Scripted(nano, [DONE, DONE], DISTRIBUTIONS, [False, False])
    ranking = consistent().rank(model, prompts(), THINKS, silent)
    assert not ranking.valid.any()
    assert np.isnan(ranking.scores).all()
    assert np.isnan(ranking.ratings).all()


def test_each_reasoning_is_drawn_from_a_seed_of_its_own(nano):
    model = Scripted(nano, [DONE] * 4, np.tile(DISTRIBUTIONS, (2, 1)), [True] * 4)
    consistent(4, temperature=0.9, seed=1).rank(model, prompts(), THINKS, silent)
    assert {sampling.temperature for sampling in model.samplings} == {0.9}
    assert len({sampling.seed for sampling in model.samplings}) == 4


def test_cost_and_progress_count_every_reasoning(nano):
    told: list[tuple[int, int]] = []
    model = Scripted(nano, [DONE, DONE], DISTRIBUTIONS, [True, True])
    ranking = consistent().rank(model, prompts(), THINKS, lambda done, n: told.append((done, n)))
    read = sum(len(ids) for row in prompts() for ids in model.encode([one.prompt for one in row]))
    assert ranking.cost.prompt_tokens == 2 * read
    assert ranking.cost.completion_tokens == 2 * 6 * (len(DONE.split()) + 2)  # <answer> and its outcome
    assert told == [(3, 6), (6, 6)]


def test_the_same_seed_ranks_alike_whatever_is_asked_beside(nano):
    asked = prompts(4)
    ranker = consistent(3, temperature=1.5)
    whole = ranker.rank(nano, asked, THINKS, silent)
    again = ranker.rank(nano, asked[::-1][:2], THINKS, silent)
    np.testing.assert_allclose(again.scores, whole.scores[::-1][:2], atol=1e-5)
    assert [row[0].completion for row in again.cases] == [row[0].completion for row in whole.cases[::-1][:2]]


def test_without_thoughts_there_is_nothing_to_average(nano):
    with pytest.raises(
        InputError, match=r"self_consistency averages over reasonings, but .* e\.g\. progressive_mask, or"
    ):
        consistent().rank(nano, prompts(), DIRECT, silent)


@pytest.mark.parametrize("ranker", [RatingExpectation(PointwiseConfig()), RatingInteraction(PointwiseConfig())])
def test_one_greedy_reasoning_is_scored_by_its_own_distribution(nano, ranker):
    ids = nano.encode([one.prompt for row in prompts() for one in row])
    answer = nano.encode_texts(["<answer>"])[0]
    scored = nano.outcome_scores([one + answer for one in ids], [f"={value}" for value in ranker.outcomes])
    ranking = ranker.rank(nano, prompts(), DIRECT, silent)
    p = np.exp(scored.log_probabilities)
    p /= p.sum(axis=1, keepdims=True)
    rated = p[:, -5:]
    expected = (rated * range(1, 6)).sum(axis=1) / rated.sum(axis=1)
    score = expected if len(ranker.outcomes) == 5 else 1 - p[:, 0]
    valid = scored.valid.reshape(2, 3)
    assert (ranking.valid == valid).all()
    np.testing.assert_allclose(ranking.scores[valid], score.reshape(2, 3)[valid], atol=1e-5)
    assert np.isnan(ranking.scores[~valid]).all()


@pytest.mark.parametrize(
    ("reading", "outcomes"),
    [
        ("rating_interaction", (0, 1, 2, 3, 4, 5)),
        ("rating_expectation", (1, 2, 3, 4, 5)),
        ("interaction", (0, 5)),
    ],
)
def test_self_consistency_asks_and_scores_as_the_ranker_that_it_reads_with(nano, reading, outcomes):
    ranker, alone = consistent(reading=reading), rankers.get(reading)()
    assert ranker.outcomes == alone.outcomes == outcomes
    said = DISTRIBUTIONS[:, list(outcomes)] / DISTRIBUTIONS[:, list(outcomes)].sum(axis=1, keepdims=True)
    ranking = ranker.rank(Scripted(nano, [DONE, DONE], said, [True, True]), prompts(), THINKS, silent)
    mean = said.mean(axis=0)[None]
    assert isinstance(alone, Pointwise)
    np.testing.assert_allclose(ranking.scores, alone.score(mean)[0])
    np.testing.assert_allclose(ranking.ratings, alone.ratings(mean)[0])


def test_self_consistency_reads_interactions_unless_told_otherwise():
    assert rankers.get("self_consistency")().outcomes == (0, 1, 2, 3, 4, 5)


def test_yes_or_no_is_scored_by_the_share_of_yes_and_predicts_no_rating(nano):
    model = Scripted(nano, [DONE], np.array([[0.3, 0.1]]), [True])
    ranking = Interaction().rank(model, prompts(), THINKS, silent)
    np.testing.assert_allclose(ranking.scores, 0.25)
    assert np.isnan(ranking.ratings).all()
    assert ranking.valid.all()
    assert ranking.cases[0][0].completion == f"{DONE} <answer> =0"


@pytest.mark.parametrize(
    ("name", "completion", "verdict"),
    [
        ("rating_interaction", "<answer> =4", "rating 4"),
        ("rating_expectation", "<answer> =1", "rating 1"),
        ("rating_interaction", "<answer> =0", "would not interact"),
        ("rating_interaction", "=4", "no answer that could be read"),
        ("interaction", "<answer> =5", "would interact"),
        ("interaction", "<answer> =0", "would not interact"),
    ],
)
def test_an_answer_is_told_in_words(name, completion, verdict):
    asked = prompts()[0]
    told = rankers.get(name)().retold(asked, 1, completion, DIRECT, len)
    assert told.verdict == verdict
    assert told.asked is asked[1]
    averaged = SelfConsistency(SelfConsistencyConfig(reading=name)).retold(asked, 1, completion, DIRECT, len)
    assert averaged.verdict == verdict
