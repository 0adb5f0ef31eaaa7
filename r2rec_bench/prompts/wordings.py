"""The wordings by name."""

from __future__ import annotations

from collections.abc import Sequence

from r2rec_bench.core.errors import unknown
from r2rec_bench.core.types import NONE_RATING
from r2rec_bench.prompts.compact import Compact
from r2rec_bench.prompts.verbose import Verbose
from r2rec_bench.prompts.verbose_yes_no import YES, VerboseYesNo
from r2rec_bench.prompts.wording import Wording

WORDINGS: dict[str, Wording] = {wording.name: wording for wording in (Compact(), Verbose())}
_YES_NO: dict[str, Wording] = {Verbose.name: VerboseYesNo()}
"""The same wordings for questions with two answers, where they have words for these."""


def wording_named(name: str) -> Wording:
    """The wording called `name`.

    Raises:
        InputError: there is none.
    """
    if name not in WORDINGS:
        raise unknown("wording", name, WORDINGS)
    return WORDINGS[name]


def wording_for(chosen: str, backbones_own: str, outcomes: Sequence[int]) -> Wording:
    """What prompts and completions speak.

    Args:
        chosen: by the strategy: a wording's name, or `auto` for that of the backbone.
        backbones_own: the name of that one.
        outcomes: the answers allowed.

    Raises:
        InputError: there is no wording of that name.
    """
    wording = wording_named(backbones_own if chosen == "auto" else chosen)
    return _YES_NO.get(wording.name, wording) if tuple(outcomes) == (NONE_RATING, YES) else wording
