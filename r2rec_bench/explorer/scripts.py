"""Data as scripts: a page opened from disk may not fetch JSON, but it may load a script that hands over a value."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

Value: TypeAlias = "bool | int | float | str | Sequence[Value] | Mapping[str, Value] | None"
"""What JSON can say."""


def write_script(folder: Path, name: str, value: Value) -> None:
    """`folder/name.js`, which hands `value` to the page under `name`.

    Texts come from outside: whatever they hold, they stay texts. All but ASCII is escaped, which covers the line
    separators that once ended a string in JavaScript, and so is `<`, without which no tag can close the script.
    """
    path = folder / f"{name}.js"
    path.parent.mkdir(parents=True, exist_ok=True)
    given = json.dumps(_plain(value), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    path.write_text(f"explorer.give({json.dumps(name)}, {given.replace('<', chr(92) + 'u003c')});\n", encoding="ascii")


def rounded(value: float, digits: int = 6) -> float | None:
    """To so many significant digits; None for NaN and infinities, which JSON does not know."""
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None


def _plain(value: Value) -> Value:
    """`value` with None for every number that is none."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str) or value is None or isinstance(value, int):
        return value
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value]
