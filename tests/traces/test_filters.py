from dataclasses import replace

import pytest

from r2rec_bench.core.texts import Prompt, Thought, Trace
from r2rec_bench.core.types import Query
from r2rec_bench.prompts.direct import Direct
from r2rec_bench.prompts.progressive_mask import ProgressiveMask
from r2rec_bench.prompts.verbose import Verbose
from r2rec_bench.traces.filters import grounded, keep_sound

WORDING = Verbose()
PROMPT = Prompt(
    "",
    'Candidate: "Aliens 3". Others who know it: 10.',
    ('Step 1: The user —rated 5→ "Alien".', 'Step 2: A peer also —rated 4→ "Alien". Their mean: 4.25.'),
    'How would the user rate "Aliens 3"? The user —[MASK]→ "Aliens 3"',
    "[MASK]",
    0,
    0,
)
FACTS = ('The user —rated 5→ "Alien".', 'A peer also —rated 4→ "Alien".')


def trace(*facts: str, answer: int = 4) -> Trace:
    lines = [f"Step {k}. {fact} Weight: for. Forecast: 3." for k, fact in enumerate(facts, 1)]
    thoughts = tuple(Thought(k, 1, 3, line) for k, line in enumerate(lines, 1))
    return Trace(Query(0, 0, 1), 7, PROMPT, thoughts, WORDING.complete(thoughts, answer), answer, (4, 4))


def reasons(*traces: Trace, max_words: int = 100) -> dict[str, int]:
    filtered = keep_sound(traces, ProgressiveMask(), WORDING, max_words)
    assert len(filtered.traces) + sum(filtered.dropped.values()) == len(traces)
    return filtered.dropped


def test_sound_traces_are_kept_in_order():
    traces = (trace(*FACTS), trace(*FACTS, answer=0))
    assert keep_sound(traces, ProgressiveMask(), WORDING, 100).traces == traces


def test_what_is_dropped_is_counted_by_reason():
    sound = trace(*FACTS)
    assert reasons(
        sound,
        replace(sound, completion="no idea"),
        replace(sound, completion=sound.completion.replace("<answer>", "")),
        replace(sound, completion=sound.completion.replace("<answer>", "")),
        replace(sound, answer=5),
        trace(FACTS[0]),
        trace(FACTS[0], 'A peer also —rated 4→ "Brazil".'),
        trace(*FACTS, "And a third."),
    ) == {
        "does not parse: think": 1,
        "does not parse: answer": 2,
        "conclusion differs from the true answer": 1,
        "does not parse: steps": 2,
        "names what was not revealed": 1,
    }


def test_a_trace_that_goes_on_and_on_is_dropped():
    words = len(trace(*FACTS).completion.split())
    assert reasons(trace(*FACTS), max_words=words) == {}
    assert reasons(trace(*FACTS), max_words=words - 1) == {"too long": 1}


def test_an_answer_that_was_not_asked_for_does_not_parse():
    odd = trace(*FACTS, answer=0)
    assert reasons(replace(odd, prompt=replace(PROMPT, outcomes=(1, 2, 3, 4, 5)))) == {"does not parse: answer": 1}


def test_an_answer_at_once_needs_no_thoughts():
    at_once = replace(trace(), completion=WORDING.complete(None, 4))
    assert keep_sound([at_once], Direct(), WORDING, 100).traces == (at_once,)


@pytest.mark.parametrize(
    ("said", "step", "is_grounded"),
    [
        ('Step 1. The user —rated 5→ "Alien". Weight: for. Forecast: 2.', 1, True),
        ('Step 1. "Aliens 3" is like "Alien". Weight: for. Forecast: 2.', 1, True),
        ("Step 2. Their mean: 4.25. Weight: for. Forecast: 2.", 2, True),
        ("Step 2. Their mean: 4.2. Weight: for. Forecast: 2.", 2, False),
        ("Step 1. Their mean: 4.25. Weight: for. Forecast: 2.", 1, False),
        ("Step 1. A peer gave 4. Weight: for. Forecast: 2.", 1, False),
        ("Step 1. A peer gave 3. Weight: for. Forecast: 2.", 1, False),
        ('Step 1. The user likes "Brazil". Weight: for. Forecast: 2.', 1, False),
        ("Step 3. The user liked it. Weight: for. Forecast: 2.", 3, False),
        ("Step 0. The user liked it. Weight: for. Forecast: 2.", 0, False),
    ],
)
def test_a_thought_names_only_what_its_step_has_revealed(said, step, is_grounded):
    assert grounded(said, PROMPT, step) == is_grounded


def test_a_title_may_look_like_the_frame_of_a_thought():
    title = '"The Weight: heavy. Forecast: 9. Step 12."'
    prompt = replace(PROMPT, pieces=(f"Step 1: The user —chose→ {title}.",))
    assert grounded(f"Step 1. The user —chose→ {title}. Weight: for. Forecast: 2.", prompt, 1)
