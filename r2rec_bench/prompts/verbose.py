"""The verbose wording: plain English with titles, for chat models."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from r2rec_bench.core.types import NONE_RATING, Bundle, Edge, ItemCatalog, Thought
from r2rec_bench.graph import VisibleGraph
from r2rec_bench.prompts.steps import Hop, Step
from r2rec_bench.prompts.wording import ANSWER_CLOSE, ANSWER_OPEN, THINK_CLOSE, THINK_OPEN, Wording

_WEIGHTS = {-2: "strongly against", -1: "against", 0: "neutral", 1: "for", 2: "strongly for"}
_THOUGHT = re.compile(r"Step (\d+)\. (.+) Weight: ([a-z ]+)\. Forecast: ([0-5])\.", re.DOTALL)
_MAX_TITLE = 120


class Verbose(Wording):
    """Sentences that name items by their titles."""

    name = "verbose"
    mask = "[MASK]"
    answer_open = ANSWER_OPEN
    separator = "\n"
    quotes = True

    def system(self, *, thinks: bool, outcomes: Sequence[int]) -> str:
        scale = "a rating from 1 (bad) to 5 (excellent)"
        if NONE_RATING in outcomes:
            scale += ", or 0 if the user would not interact with the item"
        how = (
            "For each piece of evidence, in order, write one line 'Step k. <what it says> Weight: <strongly against | "
            "against | neutral | for | strongly for>. Forecast: <digit>.' The forecast is for the next masked rating. "
            f"Put all steps inside {THINK_OPEN} and {THINK_CLOSE}, then the answer as {ANSWER_OPEN}digit{ANSWER_CLOSE}."
            if thinks
            else f"Answer at once as {ANSWER_OPEN}digit{ANSWER_CLOSE}, without explanation."
        )
        return f"You predict how a user would rate an item from what similar people did. The answer is {scale}. {how}"

    def head(self, visible: VisibleGraph, target: int, catalog: ItemCatalog, history: int) -> str:
        latest = range(max(0, visible.query.position - history), visible.query.position)
        edges = [visible.own_edge(position) for position in latest]
        audience = visible.audience(target)
        lines = [f"Latest items of the user: {'; '.join(_rated(edge, catalog) for edge in edges)}."] if edges else []
        known = f"Candidate: {_title(catalog, target)}, known to {audience.people} other people"
        rated = "" if math.isnan(audience.mean_rating) else f", who rate it {audience.mean_rating:.1f} on average"
        return "\n".join([*lines, f"{known}{rated}."])

    def piece(self, step: Step, target: int, catalog: ItemCatalog) -> str:
        return f"Step {step.number}: {_fact(step, target, catalog)}"

    def ask(self, target: int, catalog: ItemCatalog, outcomes: Sequence[int], *, thinks: bool) -> str:
        title = _title(catalog, target)
        if NONE_RATING in outcomes:
            return f"Would the user interact with {title}, and how would they rate it? The user —{self.mask}→ {title}"
        return f"How would the user rate {title}? The user —{self.mask}→ {title}"

    def thought(self, thought: Thought, step: Step, target: int, catalog: ItemCatalog) -> str:
        fact = _fact(step, target, catalog)
        return f"Step {thought.step}. {fact} Weight: {_WEIGHTS[thought.weight]}. Forecast: {thought.forecast}."

    def outcome(self, value: int) -> str:
        return str(value)

    def block(self, thoughts: Sequence[Thought]) -> str:
        return "\n".join([THINK_OPEN, *(thought.text for thought in thoughts), THINK_CLOSE])

    def close(self, outcome: str) -> str:
        return f"{outcome}{ANSWER_CLOSE}"

    def parse_thoughts(self, block: str) -> tuple[Thought, ...] | None:
        names = {name: weight for weight, name in _WEIGHTS.items()}
        thoughts: list[Thought] = []
        for line in filter(None, (line.strip() for line in block.splitlines())):
            match = _THOUGHT.fullmatch(line)
            if match is None or match[3] not in names:
                return None
            thoughts.append(Thought(int(match[1]), names[match[3]], int(match[4]), line))
        return tuple(thoughts)

    def parse_answer(self, tail: str) -> int | None:
        match = re.fullmatch(rf"\s*([0-5])\s*{ANSWER_CLOSE}\s*", tail)
        return int(match[1]) if match else None


def _fact(step: Step, target: int, catalog: ItemCatalog) -> str:
    title = _title(catalog, step.edge.item)
    if step.bundle is not None:
        return _bundle(step.bundle, title, _title(catalog, target))
    rating = "" if math.isnan(step.edge.rating) else f" {step.edge.rating:g}"
    if step.hop is Hop.OWN:
        return f"The user —rated{rating}→ {title}."
    if step.hop is Hop.SHARED:
        return f"A peer also —rated{rating}→ {title}."
    gap = ""
    if step.chain is not None and step.edge.item == target:
        days, steps = step.chain.gap_days, step.chain.gap_steps
        gap = f", {abs(steps)} steps and {abs(days):.0f} days {'later' if steps > 0 else 'earlier'}"
    return f"The peer —rated{rating}→ {title}{gap}."


def _bundle(b: Bundle, anchor: str, target: str) -> str:
    own = "" if math.isnan(b.anchor.rating) else f" {b.anchor.rating:g}"
    parts = [
        f"The user rated {anchor}{own}, {b.steps_ago} steps ago.",
        f"Of {b.n_anchor} others who rated it, {b.n_peers} also rated {target}, {b.lift:.1f} times chance;",
        f"{b.n_forward} went on to it soon after, {b.forward_lift:.1f} times chance.",
    ]
    if not math.isnan(b.mean_rating):
        parts.append(f"They rated it {b.mean_rating:.1f} on average")
        alike = "" if math.isnan(b.agree_rating) else f", the {b.n_agree} who agree with the user {b.agree_rating:.1f}"
        parts[-1] += f"{alike}."
    return " ".join(parts)


def _rated(edge: Edge, catalog: ItemCatalog) -> str:
    rating = "" if math.isnan(edge.rating) else f" {edge.rating:g}"
    return f"{_title(catalog, edge.item)}{rating}"


def _title(catalog: ItemCatalog, item: int) -> str:
    """The title in quotes: bounded, and without the brackets that tags and control tokens are made of."""
    title = catalog.titles[item].translate(str.maketrans('<>|"', "()/'"))
    return f'"{title[:_MAX_TITLE]}"'
