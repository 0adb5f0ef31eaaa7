"""The verbose wording: plain English with titles, for chat models."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from r2rec_bench.core.texts import Thought
from r2rec_bench.core.types import NONE_RATING, Bundle, Edge, ItemCatalog
from r2rec_bench.graph import VisibleGraph
from r2rec_bench.prompts.steps import Hop, Step
from r2rec_bench.prompts.titles import stars, titled
from r2rec_bench.prompts.verbose_list import VerboseList, known_by, latest_items
from r2rec_bench.prompts.wording import ANSWER_CLOSE, ANSWER_OPEN, THINK_CLOSE, THINK_OPEN, Thinking, Wording

_WEIGHTS = {-2: "strongly against", -1: "against", 0: "neutral", 1: "for", 2: "strongly for"}
_WEIGHED = {name: weight for weight, name in _WEIGHTS.items()}
_THOUGHT = re.compile(r"Step ([1-9][0-9]{0,3})\. (.+) Weight: ([a-z ]+)\. Forecast: ([0-5])\.")
_ANSWER = f"then the answer as {ANSWER_OPEN}digit{ANSWER_CLOSE}."
_LINE = f"<what it says> Weight: <{' | '.join(_WEIGHTS.values())}>. Forecast: <digit>.'"
HOW = {
    Thinking.NONE: f"Answer at once as {ANSWER_OPEN}digit{ANSWER_CLOSE}, without explanation.",
    Thinking.STEPS: (
        f"For each piece of evidence, in order, write one line 'Step k. {_LINE} The forecast is for the next masked "
        f"rating. Put all steps inside {THINK_OPEN} and {THINK_CLOSE}, {_ANSWER}"
    ),
    Thinking.WHOLE: (
        f"For all the evidence together, if there is any, write one line 'Step 1. {_LINE} The forecast is for the "
        f"rating asked for. Put it inside {THINK_OPEN} and {THINK_CLOSE}, {_ANSWER}"
    ),
    Thinking.FREE: f"Think step by step inside {THINK_OPEN} and {THINK_CLOSE}, {_ANSWER}",
}
"""What to write, told in the instruction."""


class Verbose(Wording):
    """Sentences that name items by their titles."""

    name = "verbose"
    mask = "[MASK]"
    answer_open = ANSWER_OPEN
    separator = "\n"
    quotes = True
    max_steps = 9_999
    thought_tokens = 160
    other_tokens = 512
    thought_form = f"'Step k. {_LINE}"
    legend = ""
    lists = VerboseList()

    def system(self, thinking: Thinking, outcomes: Sequence[int]) -> str:
        scale = "a rating from 1 (bad) to 5 (excellent)"
        if NONE_RATING in outcomes:
            scale += ", or 0 if the user would not interact with the item"
        return (
            "You predict how a user would rate an item from what similar people did. "
            f"The answer is {scale}. {HOW[thinking]}"
        )

    def head(
        self, visible: VisibleGraph, target: int, catalog: ItemCatalog, history: int, *, rated: bool = True
    ) -> str:
        listed = latest_items(visible, catalog, history, rated=rated)
        candidate = f"Candidate: {titled(catalog, target)}. {known_by(visible, target, rated=rated)}"
        return "\n".join(filter(None, [listed, candidate]))

    def number(self, step: Step) -> str:
        return f"Step {step.number}:"

    def fact(self, step: Step, target: int, catalog: ItemCatalog) -> str:
        """Worded so that no number needs a plural."""
        title = titled(catalog, step.edge.item)
        if step.bundle is not None:
            return f"{_arrow('The user', step.edge, title)}; steps ago: {step.bundle.steps_ago}. " + _crowd(
                step.bundle, titled(catalog, target)
            )
        if step.hop is Hop.OWN:
            return f"{_arrow('The user', step.edge, title)}."
        if step.hop is Hop.SHARED:
            return f"{_arrow('A peer also', step.edge, title)}."
        if step.chain is None or step.edge.item != target:
            return f"{_arrow('The peer', step.edge, title)}."
        days, steps = step.chain.gap_days, step.chain.gap_steps
        when = "later" if steps > 0 else "earlier"
        return f"{_arrow('The peer', step.edge, title)}, {when} by steps: {abs(steps)}, days: {abs(days):.0f}."

    def ask(self, target: int, catalog: ItemCatalog, outcomes: Sequence[int], thinking: Thinking) -> str:
        title = titled(catalog, target)
        if NONE_RATING in outcomes:
            return f"Would the user interact with {title}, and how would they rate it? The user —{self.mask}→ {title}"
        return f"How would the user rate {title}? The user —{self.mask}→ {title}"

    def thought(self, thought: Thought, step: Step, target: int, catalog: ItemCatalog) -> str:
        return self.phrased(thought, self._facts(step, target, catalog))

    def phrased(self, thought: Thought, words: str) -> str:
        return f"Step {thought.step}. {words} Weight: {_WEIGHTS[thought.weight]}. Forecast: {thought.forecast}."

    def words(self, text: str) -> str:
        match = _THOUGHT.fullmatch(text)
        return match[2] if match else ""

    def outcome(self, value: int) -> str:
        return str(value)

    def block(self, thoughts: Sequence[Thought]) -> str:
        return "\n".join([THINK_OPEN, *(thought.text for thought in thoughts), THINK_CLOSE])

    def close(self, outcome: str) -> str:
        return f"{outcome}{ANSWER_CLOSE}"

    def parse_thoughts(self, block: str) -> tuple[Thought, ...] | None:
        thoughts: list[Thought] = []
        for line in filter(None, (line.strip() for line in block.splitlines())):
            match = _THOUGHT.fullmatch(line)
            if match is None or match[3] not in _WEIGHED:
                return None
            thoughts.append(Thought(int(match[1]), _WEIGHED[match[3]], int(match[4]), line))
        return tuple(thoughts)

    def parse_answer(self, tail: str) -> int | None:
        match = re.fullmatch(rf"\s*([0-5])\s*{ANSWER_CLOSE}\s*", tail)
        return int(match[1]) if match else None


def _crowd(b: Bundle, target: str) -> str:
    parts = [f"Others who know it: {b.n_anchor}; of these also know {target}: {b.n_peers}, {b.lift:.1f} times chance"]
    # With order `any` the two counts are one.
    if (b.n_forward, b.forward_lift) != (b.n_peers, b.lift):
        parts.append(f"went on to it soon after: {b.n_forward}, {b.forward_lift:.1f} times chance")
    if not math.isnan(b.mean_rating):
        parts.append(f"their mean rating of it: {b.mean_rating:.1f}")
    if not math.isnan(b.agree_rating):
        parts.append(f"of those who agree with the user ({b.n_agree}): {b.agree_rating:.1f}")
    return "; ".join(parts) + "."


def _arrow(who: str, edge: Edge, title: str) -> str:
    return f"{who} —{'chose' if math.isnan(edge.rating) else f'rated{stars(edge.rating)}'}→ {title}"
