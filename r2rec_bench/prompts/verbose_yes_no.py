"""The verbose wording where the answer is yes or no."""

from __future__ import annotations

import re
from collections.abc import Sequence

from r2rec_bench.core.types import NONE_RATING, RATINGS, ItemCatalog
from r2rec_bench.prompts.titles import titled
from r2rec_bench.prompts.verbose import HOW, Verbose
from r2rec_bench.prompts.wording import ANSWER_CLOSE, ANSWER_OPEN, Thinking

YES = RATINGS[-1]
"""The outcome of an interaction where nothing but whether there is one is asked."""
# Tokenisers cut words with the space before them: without one, the tag's last sign may join the answer.
_SAID = {NONE_RATING: " No", YES: " Yes"}
_DIGIT = f"{ANSWER_OPEN}digit{ANSWER_CLOSE}"
_FORM = " or ".join(f"{ANSWER_OPEN}{word}{ANSWER_CLOSE}" for word in reversed(_SAID.values()))


class VerboseYesNo(Verbose):
    """As the verbose wording, but Yes stands for `YES` and No for "would not interact"; forecasts remain digits."""

    def system(self, thinking: Thinking, outcomes: Sequence[int]) -> str:
        return (
            "You predict whether a user would interact with an item from what similar people did. "
            f"The answer is Yes or No. {HOW[thinking].replace(_DIGIT, _FORM)}"
        )

    def ask(self, target: int, catalog: ItemCatalog, outcomes: Sequence[int], thinking: Thinking) -> str:
        title = titled(catalog, target)
        return f"Would the user interact with {title}? The user —{self.mask}→ {title}"

    def outcome(self, value: int) -> str:
        return _SAID[value]

    def parse_answer(self, tail: str) -> int | None:
        match = re.fullmatch(rf"\s*(Yes|No)\s*{ANSWER_CLOSE}\s*", tail)
        return None if match is None else YES if match[1] == "Yes" else NONE_RATING
