"""By hand: places in a list, the length of thoughts, and what they name."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r2rec_bench.core.texts import Prompt, Reading, Thought, Trace
from r2rec_bench.core.types import NONE_RATING, RATINGS, Query
from r2rec_bench.training.rewards.grounding import Grounding
from r2rec_bench.training.rewards.length import Length, LengthConfig
from r2rec_bench.training.rewards.rank import Rank

ALL = (NONE_RATING, *RATINGS)


def asked(user: int, answer: int, allowed: tuple[int, ...] = ALL, outcomes: tuple[int, ...] = ()) -> Trace:
    prompt = Prompt("", "", ('Step 1: "Alien" 5.', 'Step 2: "Heat" 3.'), "?", "[MASK]", 0, 0, allowed)
    return Trace(Query(user, 0, 0), 1, prompt, (), "", answer, outcomes)


def place(said: int | None, true: int, others: list[int], allowed: tuple[int, ...] = ALL) -> float:
    """The reward of an answer `said` where `true` is right, in a batch with `others`."""
    traces = [asked(0, true, allowed), *(asked(user, other, allowed) for user, other in enumerate(others, 1))]
    readings = [Reading((), said), *[Reading((), 1)] * len(others)]
    return float(Rank().score(readings, traces)[0])


@pytest.mark.parametrize(
    ("said", "true", "others", "expected"),
    [
        (5, 5, [3, 0], 1),
        (4, 5, [3, 0], 1),  # the same order
        (0, 5, [3, 0], 0),  # ties lose: last of three
        (0, 5, [0], 0),  # tied and placed second
        (5, 0, [3], 0),
        (1, 0, [3], 1),
        (None, 5, [3], 0),
        (3, 0, [0, 0], 1),  # nothing to lose
        (2, 4, [], 1),  # alone
        (None, 4, [], 0),
    ],
)
def test_a_place_among_others_by_hand(said, true, others, expected):
    assert place(said, true, others) == pytest.approx(expected)


def test_a_place_in_between_is_scaled_between_the_worst_and_the_best():
    # 5 among 4, 3, 0: first, second (said 3.. ties lose, so said 4 is second), third, last.
    discount = [1 / math.log2(place + 1) for place in (1, 2, 3, 4)]

    def gain(order: list[int]) -> float:
        return sum(value * weight for value, weight in zip(order, discount, strict=True))

    best, second, worst = gain([5, 4, 3, 0]), gain([4, 5, 3, 0]), gain([4, 3, 0, 5])
    assert place(4, 5, [4, 3, 0]) == pytest.approx((second - worst) / (best - worst))
    assert place(0, 5, [4, 3, 0]) == 0


def test_the_place_of_an_answer_that_is_not_allowed_is_none():
    assert place(0, 2, [4], allowed=RATINGS) == 0
    assert place(1, 5, [4], allowed=RATINGS) == 0
    assert place(5, 5, [4], allowed=RATINGS) == 1


@given(true=st.integers(0, 5), others=st.lists(st.integers(0, 5), max_size=12))
def test_the_true_answer_is_always_placed_best(true, others):
    scores = [place(said, true, others) for said in ALL]
    assert scores[true] == 1.0
    assert all(0 <= score <= 1 for score in scores)


@given(
    said=st.integers(0, 5),
    others=st.lists(st.tuples(st.integers(0, 5), st.none() | st.integers(0, 5)), min_size=1, max_size=6),
)
def test_a_place_depends_on_the_questions_of_a_batch_and_on_nobody_elses_answers(said, others):
    traces = [asked(0, 3), *(asked(user, true) for user, (true, _) in enumerate(others, 1))]
    readings = [Reading((), said), *(Reading((), answer) for _, answer in others)]
    once = Rank().score(readings, traces)
    assert once[0] == place(said, 3, [true for true, _ in others])
    # Eight completions of each question are still one list.
    assert Rank().score(readings * 8, traces * 8).tolist() == once.tolist() * 8


def brevity(lengths: list[int], target: int = 100, answer: int | None = 3) -> float:
    thoughts = tuple(Thought(k, 0, 3, "x" * length) for k, length in enumerate(lengths, 1))
    return float(Length(LengthConfig(target=target)).score([Reading(thoughts, answer)], [asked(0, 3)])[0])


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ([], 1),
        ([100, 100], 1),
        ([150, 50], 1),
        ([150], 0.5),
        ([125, 125], 0.75),
        ([200], 0),
        ([9999], 0),
        ([300, 0], 0.5),
    ],
)
def test_long_thoughts_cost_up_to_twice_the_target(lengths, expected):
    assert brevity(lengths) == pytest.approx(expected)


def test_what_is_not_in_form_is_not_brief():
    assert brevity([10], answer=None) == 0


FINE, FORESEEN = 'Step 1. "Alien" 5. Weight: for. Forecast: 4.', 'Step 1. "Heat". Weight: for. Forecast: 4.'


@pytest.mark.parametrize(
    ("thoughts", "expected"),
    [
        ([(1, FINE), (2, 'Step 2. "Heat" 3. Weight: for. Forecast: 1.')], 1),
        ([(1, FORESEEN), (2, "Step 2. Weight: for. Forecast: 1.")], 0.5),
        ([(1, FINE)], 0.5),
        ([(1, FINE), (1, FINE), (1, FINE)], 0.25),
        ([(1, FORESEEN), (1, FINE)], 0),  # the first counts
        ([(3, FINE)], 0),
        ([], 0),
    ],
)
def test_the_share_of_grounded_steps(thoughts, expected):
    reading = Reading(tuple(Thought(step, 1, 4, text) for step, text in thoughts), 4)
    assert Grounding().score([reading], [asked(0, 4, outcomes=(3, 4))])[0] == pytest.approx(expected)


def test_where_no_thoughts_are_due_nothing_can_be_named_wrongly():
    assert Grounding().score([Reading((), None)], [asked(0, 4)])[0] == 1
