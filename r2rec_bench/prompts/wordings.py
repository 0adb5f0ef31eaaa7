"""The wordings by name."""

from __future__ import annotations

from r2rec_bench.core.errors import unknown
from r2rec_bench.prompts.compact import Compact
from r2rec_bench.prompts.verbose import Verbose
from r2rec_bench.prompts.wording import Wording

WORDINGS: dict[str, Wording] = {wording.name: wording for wording in (Compact(), Verbose())}


def wording_named(name: str) -> Wording:
    """The wording called `name`.

    Raises:
        InputError: there is none.
    """
    if name not in WORDINGS:
        raise unknown("wording", name, WORDINGS)
    return WORDINGS[name]
