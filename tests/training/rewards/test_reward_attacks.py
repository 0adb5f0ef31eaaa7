"""Attacks on every registered reward, in both wordings: none out-scores an honest, correct completion.

Each reward alone may be unable to tell an attack from honesty (its docstring says where); then both earn the same. All
rewards together, and the default weighted sum, must tell.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from r2rec_bench.core.texts import Prompt, Trace
from r2rec_bench.core.types import RATINGS, Query
from r2rec_bench.prompts.progressive_mask import ProgressiveMask
from r2rec_bench.prompts.wording import Wording
from r2rec_bench.prompts.wordings import WORDINGS
from r2rec_bench.training.grpo import GrpoConfig
from r2rec_bench.training.rewards.base import rewards

OURS = dict(rewards)
OUTCOMES = (4, 4)
DEFAULT = {term.reward.use: term.weight for term in GrpoConfig().rewards}


@dataclass(frozen=True)
class Setting:
    """A wording, what is asked in it, and the honest answer; titles and numbers are those of the prompt."""

    wording: Wording
    trace: Trace
    thoughts: tuple[str, str]

    def said(self, *thoughts: str, answer: str = "4") -> str:
        end = self.wording.close(self.wording.outcome(4)).replace("4", answer)
        lines = self.wording.separator.join(["<think>", *thoughts, "</think>"])
        return f"{lines}{self.wording.separator}{self.wording.answer_open}{end}"

    @property
    def honest(self) -> str:
        return self.said(*self.thoughts)


def asked(pieces: tuple[str, str]) -> Trace:
    prompt = Prompt("", "Candidate", pieces, "How? [MASK]", "[MASK]", 0, 9, RATINGS)
    return Trace(Query(0, 0, 0), 1, prompt, (), "", 4, OUTCOMES)


SETTINGS = {
    "compact": Setting(WORDINGS["compact"], asked(("#1 r5 L1 F2 m4", "#2 r4 L0 F1 m3")), ("#1 w+2 f4", "#2 w+1 f4")),
    "verbose": Setting(
        WORDINGS["verbose"],
        asked(('Step 1: The user —rated 5→ "Alien".', 'Step 2: The user —rated 4→ "Heat".')),
        (
            'Step 1. The user rated "Alien" 5. Weight: for. Forecast: 4.',
            'Step 2. The user rated "Heat" 4. Weight: for. Forecast: 4.',
        ),
    ),
}
OTHERS = [
    Trace(Query(user, 0, 0), 1, SETTINGS["compact"].trace.prompt, (), "", rating, OUTCOMES)
    for user, rating in enumerate(RATINGS, 1)
]
"""The rest of the batch, which the reward `rank` compares with."""


def earned(setting: Setting, completion: str) -> dict[str, float]:
    reading = ProgressiveMask().read(completion, setting.trace.prompt, setting.wording)
    batch, traces = [reading, *[reading] * len(OTHERS)], [setting.trace, *OTHERS]
    return {name: float(cls().score(batch, traces)[0]) for name, cls in OURS.items()}


ATTACKS = {
    "nothing": lambda s: "",
    "the answer alone": lambda s: s.wording.complete(None, 4),
    "thoughts alone": lambda s: s.honest.partition("</think>")[0] + "</think>",
    "no thoughts in the tags": lambda s: s.said(),
    "the prompt copied": lambda s: s.trace.prompt.content,
    "the prompt copied, then the answer": lambda s: s.trace.prompt.content + s.wording.complete(None, 4),
    "the prompt copied as thoughts": lambda s: s.said(s.trace.prompt.content),
    "the prompt copied before": lambda s: s.trace.prompt.content + s.honest,
    "the answer inside the thoughts": lambda s: s.said(*s.thoughts, s.wording.complete(None, 4)).rpartition("</")[0],
    "the answer in both places": lambda s: s.said(*s.thoughts, s.wording.complete(None, 4)),
    "every answer": lambda s: s.honest + "".join(s.wording.complete(None, k) for k in RATINGS),
    "a thought repeated": lambda s: s.said(s.thoughts[0], s.thoughts[0]),
    "all thoughts repeated": lambda s: s.said(*s.thoughts, *s.thoughts),
    "thoughts a thousand times": lambda s: s.said(*s.thoughts * 500),
    "thoughts reversed": lambda s: s.said(*reversed(s.thoughts)),
    "thoughts about steps that are not there": lambda s: s.said(*s.thoughts, s.thoughts[0].replace("1", "3", 1)),
    "two rounds": lambda s: s.honest + s.honest,
    "10,000 characters": lambda s: "x" * 10_000,
    "10,000 characters before": lambda s: "x" * 10_000 + s.honest,
    "10,000 characters as thoughts": lambda s: s.said("x" * 10_000),
    "10,000 characters after": lambda s: s.honest + "x" * 10_000,
    "Chinese": lambda s: s.said("用户喜欢这部电影，所以评分是四。"),
    "Arabic digits": lambda s: s.said(*s.thoughts, answer="٤"),
    "wide digits": lambda s: s.said(*s.thoughts, answer="４"),
    "a number in words": lambda s: s.said(*s.thoughts, answer="четыре"),
    "wide digits in forecasts": lambda s: s.said(*(t.replace("4", "４") for t in s.thoughts)),
    **{
        f"the answer {wrong}": lambda s, wrong=wrong: s.said(*s.thoughts, answer=wrong)
        for wrong in ("0", "6", "9", "-1", "4.5", "44", "1e9", "nan", "inf", "1", "5")
    },
}


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=list(SETTINGS))
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=list(ATTACKS))
def test_no_attack_out_scores_honesty(setting, attack):
    honest, gamed = earned(setting, setting.honest), earned(setting, attack(setting))
    assert {name for name in honest if gamed[name] > honest[name]} == set()
    assert sum(gamed.values()) < sum(honest.values())
    assert sum(DEFAULT[name] * gamed[name] for name in DEFAULT) < sum(DEFAULT[name] * honest[name] for name in DEFAULT)


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=list(SETTINGS))
def test_honesty_earns_everything(setting):
    assert earned(setting, setting.honest) == {name: cls.range[1] for name, cls in OURS.items()}


PADDING = {
    "10,000 characters in a thought": "so " * 3_400,
    "10,000 characters without a space": "x" * 10_000,
    "another language at length": "喜欢" * 5_000,
}


@pytest.mark.parametrize("padding", PADDING.values(), ids=list(PADDING))
def test_padding_in_form_costs_only_what_length_takes(padding):
    """The default sum cannot tell it: `length` is there for that."""
    setting = SETTINGS["verbose"]
    padded = setting.said(*(thought.replace(" Weight", f" {padding} Weight") for thought in setting.thoughts))
    honest, gamed = earned(setting, setting.honest), earned(setting, padded)
    assert {name for name in honest if gamed[name] != honest[name]} == {"length"}
    assert gamed["length"] == 0.0


def test_empty_phrases_earn_what_thoughts_do():
    """What no reward here can tell: thoughts that say nothing, and forecast well."""
    setting = SETTINGS["verbose"]
    phrases = setting.said(*(f"Step {k}. Fine. Weight: for. Forecast: 4." for k in (1, 2)))
    assert earned(setting, phrases) == earned(setting, setting.honest)


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=list(SETTINGS))
@pytest.mark.parametrize("attack", ["nothing", "10,000 characters", "Chinese", "the prompt copied"])
def test_what_cannot_be_read_earns_nothing(setting, attack):
    alone = {name: value for name, value in earned(setting, ATTACKS[attack](setting)).items() if value}
    # In Chinese, the answer itself is in its place.
    assert set(alone) <= ({"rating", "exact", "rank"} if attack == "Chinese" else set())


def test_scores_are_one_per_completion_whatever_the_batch():
    setting = SETTINGS["compact"]
    reading = ProgressiveMask().read(setting.honest, setting.trace.prompt, setting.wording)
    for cls in OURS.values():
        assert cls().score([], []).shape == (0,)
        assert cls().score([reading] * 3, [setting.trace] * 3).dtype == np.float64
