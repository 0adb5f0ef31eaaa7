"""From raw titles to an item catalogue: outside text is cleaned here, once, by documented rule.

HTML entities are unescaped, whitespace is collapsed, control and invisible characters are removed. An item without
a title is called "untitled item <id>". Different items may share a title: their ids tell them apart.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from r2rec_bench.core.types import ItemCatalog

UNTITLED = "items without a title, named by their id"


@dataclass(frozen=True, slots=True)
class RawItems:
    """Titles and attributes as a file gives them, by original item id; `file` is for messages."""

    file: str
    titles: dict[str, str]
    attributes: dict[str, str]


def build_catalog(raw: RawItems, item_ids: Sequence[str]) -> tuple[ItemCatalog, dict[str, int]]:
    """The catalogue of `item_ids`, all of which are in `raw`, and what was changed by rule, counted by reason."""
    titles = [clean(raw.titles[item]) for item in item_ids]
    untitled = sum(not title for title in titles)
    named = tuple(title or f"untitled item {item}" for title, item in zip(titles, item_ids, strict=True))
    attributes = tuple(clean(raw.attributes.get(item, "")) for item in item_ids)
    return ItemCatalog(named, attributes), {UNTITLED: untitled} if untitled else {}


def clean(text: str) -> str:
    """`text` on one line, without entities and without characters that cannot be seen."""
    one_line = " ".join(html.unescape(text).split())
    return " ".join("".join(filter(str.isprintable, one_line)).split())
