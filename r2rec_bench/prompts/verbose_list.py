"""The verbose wording's words for a list of candidates."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from r2rec_bench.core.types import ItemCatalog
from r2rec_bench.graph import VisibleGraph
from r2rec_bench.prompts.list_wording import ListWording
from r2rec_bench.prompts.titles import stars, titled
from r2rec_bench.prompts.wording import ANSWER_CLOSE, ANSWER_OPEN, THINK_CLOSE, THINK_OPEN

# Tokenisers cut words with the space before them: without one, the tag's last sign may join the letter.
_FORM = f"{ANSWER_OPEN} letter{ANSWER_CLOSE}"
_ANSWER = re.compile(rf"\s*{ANSWER_OPEN}\s*([A-Z])\s*{ANSWER_CLOSE}\s*")


class VerboseList(ListWording):
    """Sentences that name items by their titles, a candidate a line."""

    def system(self, *, thinks: bool) -> str:
        how = (
            f"Think step by step inside {THINK_OPEN} and {THINK_CLOSE}, then the answer as {_FORM}."
            if thinks
            else f"Answer at once as {_FORM}, without explanation."
        )
        return (
            "You predict which one of several candidates a user interacts with next, from what the user and similar "
            f"people did. The answer is the letter of one candidate. {how}"
        )

    def head(self, visible: VisibleGraph, catalog: ItemCatalog, history: int, *, rated: bool, recency: bool) -> str:
        lines = [latest_items(visible, catalog, history, rated=rated)]
        if lines[0] and recency:
            lines.append(f"The very latest of them is {titled(catalog, int(visible.history_items()[-1]))}.")
        return "\n".join(filter(None, lines))

    def candidate(self, letter: str, visible: VisibleGraph, target: int, catalog: ItemCatalog, *, rated: bool) -> str:
        return f"{letter}. {titled(catalog, target)}. {known_by(visible, target, rated=rated)}"

    def ask(self, letters: Sequence[str]) -> str:
        return f"Which candidate, {letters[0]} to {letters[-1]}, does the user interact with next? The user → [MASK]"

    def outcome(self, letter: str) -> str:
        return f" {letter}"

    def parse_answer(self, text: str) -> str | None:
        match = _ANSWER.fullmatch(text)
        return match[1] if match else None


def latest_items(visible: VisibleGraph, catalog: ItemCatalog, history: int, *, rated: bool) -> str:
    """The user's latest `history` interactions; empty for none."""
    first = max(0, visible.query.position - history)
    items, ratings = visible.history_items()[first:].tolist(), visible.history_ratings()[first:].tolist()
    own = zip(items, ratings, strict=True)
    listed = "; ".join(f"{titled(catalog, item)}{stars(rating) if rated else ''}" for item, rating in own)
    return f"Latest items of the user, oldest first: {listed}." if listed else ""


def known_by(visible: VisibleGraph, target: int, *, rated: bool) -> str:
    """How many others know a candidate, and what they think of it."""
    audience = visible.audience(target)
    others = f"Others who know it: {audience.people}."
    if rated and not math.isnan(audience.mean_rating):
        others += f" Their mean rating: {audience.mean_rating:.1f}."
    return others
