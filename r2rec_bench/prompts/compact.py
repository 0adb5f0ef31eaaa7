"""The compact wording: a closed vocabulary of a few hundred words, no titles; what a small backbone can read.

    u3.75 n8.5 m4.25             own mean rating, log2 of the candidate's audience, its mean rating
    #1 r5 L1.5 F3 m4.5           bundle 1: own rating of the shared item, log2 lift, log2 forward lift, peers' rating
    #1 u r5 / #2 s r4 / #3 t r5 g2    a single chain: u0 → i0, u1 → i0, u1 → i1 with the signed log2 gap in steps
    [MASK] touch think           the question: `touch` (0 to 5) or `rate` (1 to 5), with thoughts or `direct`
    <think> #1 w+2 f4 ... </think> <answer> =4

A missing value is written `r-`, `m-`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from r2rec_bench.core.texts import Thought
from r2rec_bench.core.types import NONE_RATING, RATINGS, ItemCatalog
from r2rec_bench.graph import VisibleGraph
from r2rec_bench.prompts.steps import Hop, Step, whole_rating
from r2rec_bench.prompts.wording import ANSWER_OPEN, THINK_CLOSE, THINK_OPEN, Thinking, Wording, bucket

MAX_STEPS = 64
_LIFT, _AUDIENCE, _MEAN, _GAP = (0.5, -12, 16), (0.5, 0, 50), (0.25, 4, 20), (1.0, -12, 12)
_ASK = ("rate", "touch", "think", "direct")
_HOPS = {Hop.OWN: "u", Hop.SHARED: "s", Hop.ONWARD: "v"}
_TARGET = "t"
_THOUGHT = re.compile(r"#([1-9][0-9]{0,3}) w(0|[+-][12]) f([0-5])(?: |$)")


class Compact(Wording):
    """Buckets and codes, one token a word."""

    name = "compact"
    mask = "[MASK]"
    answer_open = ANSWER_OPEN
    separator = " "
    quotes = False
    max_steps = MAX_STEPS
    thought_tokens = 4
    other_tokens = 64
    thought_form = "#k w<weight> f<digit>, where the weight is -2, -1, 0, +1 or +2"
    legend = (
        "The evidence is written in codes, '-' for a missing value. First u, the user's mean rating; n, log2 of how "
        "many others know the candidate; m, their mean rating of it. '#k' begins piece k. A piece about all peers who "
        "share an item with the user: r, the user's rating of that item; L, log2 of how many times likelier than by "
        "chance a peer knows the candidate; F, the same for peers who went on to it soon after; m, their mean rating "
        "of it. A piece of a single chain: the user (u), a peer (s) rates the same item, the peer rates another (v) or "
        "the candidate (t); r, the rating; g, signed log2 of the steps between. [MASK] hides what comes later."
    )

    def system(self, thinking: Thinking, outcomes: Sequence[int]) -> str:
        return ""

    def head(
        self, visible: VisibleGraph, target: int, catalog: ItemCatalog, history: int, *, rated: bool = True
    ) -> str:
        audience = visible.audience(target)
        ratings = visible.history_ratings()
        known = ratings[np.isfinite(ratings)]
        own = float(known.mean()) if rated and len(known) else math.nan
        others = audience.mean_rating if rated else math.nan
        people = math.log2(audience.people + 1)
        return f"{_word('u', own, _MEAN)} {_word('n', people, _AUDIENCE)} {_word('m', others, _MEAN)}"

    def number(self, step: Step) -> str:
        return f"#{step.number}"

    def fact(self, step: Step, target: int, catalog: ItemCatalog) -> str:
        if step.bundle is not None:
            b = step.bundle
            lift, onward = math.log2(b.lift), math.log2(b.forward_lift)
            return (
                f"{_rating(step.edge.rating)} {_word('L', lift, _LIFT)} "
                f"{_word('F', onward, _LIFT)} {_word('m', b.mean_rating, _MEAN)}"
            )
        arrived = step.hop is Hop.ONWARD and step.edge.item == target
        code = _TARGET if arrived else _HOPS[step.hop]
        gap = ""
        if arrived and step.chain is not None:
            steps = step.chain.gap_steps
            gap = " " + _word("g", math.copysign(math.log2(abs(steps) + 1), steps), _GAP)
        return f"{code} {_rating(step.edge.rating)}{gap}"

    def ask(self, target: int, catalog: ItemCatalog, outcomes: Sequence[int], thinking: Thinking) -> str:
        task = "touch" if NONE_RATING in outcomes else "rate"
        return f"{self.mask} {task} {'direct' if thinking is Thinking.NONE else 'think'}"

    def thought(self, thought: Thought, step: Step, target: int, catalog: ItemCatalog) -> str:
        return self.phrased(thought, "")

    def phrased(self, thought: Thought, words: str) -> str:
        return f"#{thought.step} {_weight(thought.weight)} f{thought.forecast}"

    def words(self, text: str) -> str:
        return ""

    def outcome(self, value: int) -> str:
        return f"={value}"

    def block(self, thoughts: Sequence[Thought]) -> str:
        return " ".join([THINK_OPEN, *(thought.text for thought in thoughts), THINK_CLOSE])

    def close(self, outcome: str) -> str:
        return f" {outcome}"

    def parse_thoughts(self, block: str) -> tuple[Thought, ...] | None:
        said = " ".join(block.split())
        found = list(_THOUGHT.finditer(said))
        if sum(len(match[0]) for match in found) != len(said):
            return None
        return tuple(_parsed(match[0].rstrip()) for match in found)

    def parse_answer(self, tail: str) -> int | None:
        words = tail.split()
        return int(words[0][1]) if len(words) == 1 and re.fullmatch(r"=[0-5]", words[0]) else None


@lru_cache(maxsize=4096)  # there are about 2,000
def _parsed(text: str) -> Thought:
    match = _THOUGHT.fullmatch(text)
    assert match is not None  # noqa: S101 — `text` was found by the same expression
    return Thought(int(match[1]), int(match[2]), int(match[3]), text)


def vocabulary() -> list[str]:
    """Every word of the compact wording, in a fixed order."""
    return list(dict.fromkeys(_words()))


def _words() -> Iterator[str]:
    yield from (THINK_OPEN, THINK_CLOSE, ANSWER_OPEN, Compact.mask, *_ASK, *_HOPS.values(), _TARGET)
    yield from (f"={value}" for value in (NONE_RATING, *RATINGS))
    yield from (f"f{value}" for value in (NONE_RATING, *RATINGS))
    yield from (_weight(value) for value in range(-2, 3))
    yield from (f"#{number}" for number in range(1, MAX_STEPS + 1))
    yield from (f"r{value}" for value in ("-", *RATINGS))
    for prefix, scale in (("u", _MEAN), ("m", _MEAN), ("n", _AUDIENCE), ("L", _LIFT), ("F", _LIFT), ("g", _GAP)):
        step, low, high = scale
        yield f"{prefix}-"
        yield from (_word(prefix, value * step, scale) for value in range(low, high + 1))


def _word(prefix: str, value: float, scale: tuple[float, int, int]) -> str:
    place = bucket(value, *scale)
    return f"{prefix}-" if place is None else f"{prefix}{place * scale[0]:g}"


def _rating(rating: float) -> str:
    return f"r{whole_rating(rating) or '-'}"


def _weight(weight: int) -> str:
    return f"w{weight:+d}" if weight else "w0"
