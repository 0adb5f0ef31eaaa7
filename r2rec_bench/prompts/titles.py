"""Titles and ratings as sentences name them."""

from __future__ import annotations

import math
from functools import lru_cache

from r2rec_bench.core.types import ItemCatalog

_MAX_TITLE = 120
_HARMLESS = str.maketrans('<>[]|"', "()()/'")


def titled(catalog: ItemCatalog, item: int) -> str:
    """An item by its quoted title."""
    return quoted(catalog.titles[item])


@lru_cache(maxsize=65_536)
def quoted(title: str) -> str:
    """A title as prompts name it: bounded, on one line, without what tags, masks and control tokens are made of."""
    # Not printable are line breaks of every kind, marks that turn the direction of writing, and lone surrogates.
    visible = "".join(letter if letter.isprintable() else " " for letter in title[:_MAX_TITLE])
    return f'"{" ".join(visible.translate(_HARMLESS).split())}"'


def stars(rating: float) -> str:
    """A rating behind a title; empty for a missing one."""
    return "" if math.isnan(rating) else f" {rating:g}"
