"""Rewards: hand-computed values, and nothing that games them beats an honest, correct completion."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from r2rec_bench.core.texts import Prompt, Reading, Thought, Trace
from r2rec_bench.core.types import Query
from r2rec_bench.prompts.base import PromptStrategy
from r2rec_bench.prompts.compact import Compact
from r2rec_bench.prompts.progressive_mask import ProgressiveMask
from r2rec_bench.prompts.verbose import Verbose
from r2rec_bench.training.rewards.base import rewards
from r2rec_bench.training.rewards.rating import nearness

READ: PromptStrategy = ProgressiveMask()
COMPACT = Prompt("", "u4 n5 m4", ("#1 r5 L1 F2 m4", "#2 r4 L0 F1 m3"), "[MASK] touch think", "[MASK]", 0, 20)
VERBOSE = Prompt(
    "system",
    'Candidate: "Aliens (1986)", known to 500 other people.',
    (
        'Step 1: The user rated "Alien (1979)" 5, 3 steps ago. They rated it 4.2 on average.',
        'Step 2: The user rated "Heat (1995)" 4, 7 steps ago. They rated it 3.9 on average.',
    ),
    "How would the user rate it?",
    "[MASK]",
    0,
    90,
)
HONEST = "<think> #1 w+2 f4 #2 w+1 f4 </think> <answer> =4"


def trace(prompt: Prompt = COMPACT, answer: int = 4, outcomes: tuple[int, ...] = (4, 4)) -> Trace:
    return Trace(Query(0, 0, 0), 1, prompt, (), "", answer, outcomes)


def score(name: str, completion: str, asked: Trace | None = None) -> float:
    asked = asked or trace()
    wording = Verbose() if asked.prompt is VERBOSE else Compact()
    reading = READ.read(completion, asked.prompt, wording)
    return score_reading(name, reading, asked)


def score_reading(name: str, reading: Reading, asked: Trace) -> float:
    values = rewards.get(name)().score([reading], [asked])
    assert values.shape == (1,)
    assert values.dtype == np.float64
    return float(values[0])


@pytest.mark.parametrize("name", ["format", "rating", "step", "exact"])
def test_an_honest_correct_completion_earns_everything(name: str) -> None:
    assert score(name, HONEST) == 1.0


@pytest.mark.parametrize(
    ("said", "true", "expected"),
    [
        (5, 5, 1),
        (4, 5, 0.75),
        (1, 5, 0),
        (3, 1, 0.5),
        (0, 0, 1),
        (0, 3, 0),
        (3, 0, 0),
        (None, 3, 0),
        (6, 5, 0),
        (-1, 1, 0),
    ],
)
def test_nearness(said: int | None, true: int, expected: float) -> None:
    assert nearness(said, true) == expected


def test_rating_and_exact_read_the_answer_only() -> None:
    wrong_thoughts = "<think> #1 w-2 f0 </think> <answer> =3"
    assert score("rating", wrong_thoughts) == 0.75
    assert score("exact", wrong_thoughts) == 0.0
    assert score("format", wrong_thoughts) == 0.0


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        ("<think> #1 w+2 f4 #2 w+1 f4 </think> <answer> =1", 1.0),  # thoughts count, not the answer
        ("<think> #1 w+2 f3 #2 w+1 f4 </think> <answer> =4", (1 + 0.75) / 2 / 2 + 0.5),
        ("<think> #1 w+2 f0 #2 w+1 f4 </think> <answer> =4", 0.75),
        ("<think> #1 w+2 f4 </think> <answer> =4", 0.5),  # one missing
        ("<think> #1 w+2 f4 #2 w+1 f4 #2 w+1 f4 </think> <answer> =4", 2 / 3),  # one repeated
        ("<think> #1 w+2 f4 #2 w+1 f4 #3 w+1 f4 </think> <answer> =4", 2 / 3),  # one of nothing
        ("<think> </think> <answer> =4", 0.0),
    ],
)
def test_step_by_hand(completion: str, expected: float) -> None:
    assert score("step", completion) == pytest.approx(expected)


def test_a_repeated_thought_counts_as_it_was_first_said() -> None:
    assert score("step", "<think> #1 w+2 f0 #1 w+2 f4 #2 w+1 f4 </think> <answer> =4") == pytest.approx(1.5 / 3)


def verbose(first: str, second: str) -> str:
    ending = "Weight: for. Forecast: 4."
    return f"<think>\nStep 1. {first} {ending}\nStep 2. {second} {ending}\n</think>\n<answer>4</answer>"


SEEN = ('The user rated "Alien (1979)" 5.', 'The user rated "Heat (1995)" 4, 7 steps ago.')


def test_a_thought_may_name_what_has_been_revealed() -> None:
    assert score("step", verbose(*SEEN), trace(VERBOSE)) == 1.0
    assert score("step", verbose("Fine.", 'Like "Alien (1979)" and "Aliens (1986)".'), trace(VERBOSE)) == 1.0


@pytest.mark.parametrize(
    "first",
    [
        'The user rated "Heat (1995)" 4.',  # revealed by step 2 only
        'The user rated "Solaris (1972)" 5.',  # nowhere
        "They rated it 3.9 on average.",
        "Of 9 others.",
        "The answer is 4.",
    ],
)
def test_a_thought_that_names_what_is_still_masked_loses_half_its_step(first: str) -> None:
    assert score("step", verbose(first, SEEN[1]), trace(VERBOSE)) == 0.75


ATTACKS = [
    "",
    "<answer> =4",
    "<think> <answer> =4 </think>",
    "<think> #1 w+2 f4 #2 w+1 f4 <answer> =4 </think>",
    "<think> #1 w+2 f4 #1 w+2 f4 </think> <answer> =4",
    "<think> #2 w+1 f4 #1 w+2 f4 </think> <answer> =4",
    "<think> #1 w+2 f4 #2 w+1 f4 </think> <answer> =9",
    "<think> #1 w+2 f9 #2 w+1 f9 </think> <answer> =4",
    "<think> #1 w+2 f4 #2 w+1 f4 </think> <answer> =4 <answer> =4",
    "<think> #1 w+2 f4 #2 w+1 f4 </think> </think> <answer> =4",
    "<think> #99999999999999999999 w+2 f4 </think> <answer> =4",
    "<think> " + "#1 w+2 f4 " * 1000 + "</think> <answer> =4",
    "x" * 10_000,
]


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_no_attack_beats_honesty(attack: str) -> None:
    honest = {name: score(name, HONEST) for name in ("format", "rating", "step")}
    gamed = {name: score(name, attack) for name in honest}
    assert all(gamed[name] <= honest[name] for name in honest)
    assert sum(gamed.values()) < sum(honest.values())


@pytest.mark.parametrize("attack", ["", "x" * 10_000, "<think> <answer> =4 </think>"])
@pytest.mark.parametrize("name", ["format", "rating", "step", "exact"])
def test_nothing_readable_earns_nothing(name: str, attack: str) -> None:
    assert score(name, attack) == 0.0


@given(
    thoughts=st.lists(
        st.builds(Thought, st.integers(-3, 70), st.integers(-9, 9), st.integers(-9, 99), st.text(max_size=30)),
        max_size=6,
    ),
    answer=st.none() | st.integers(-9, 99),
    problems=st.sampled_from([(), ("steps",)]),
    true=st.integers(0, 5),
    outcomes=st.lists(st.integers(0, 5), max_size=4).map(tuple),
)
def test_every_reward_stays_in_its_range(
    thoughts: list[Thought], answer: int | None, problems: tuple[str, ...], true: int, outcomes: tuple[int, ...]
) -> None:
    asked = replace(trace(), answer=true, outcomes=outcomes)
    for name, cls in rewards:
        low, high = cls.range
        assert low <= score_reading(name, Reading(tuple(thoughts), answer, problems), asked) <= high
