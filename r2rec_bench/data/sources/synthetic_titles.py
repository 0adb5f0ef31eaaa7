"""Made-up titles for generated worlds: plausible, in three domains, with series for items that follow each other."""

from __future__ import annotations

import numpy as np

from r2rec_bench.core.types import Int32Array

_WORDS = {
    "movies": (
        "The {a} {b}",
        ("Silent", "Last", "Crimson", "Hidden", "Broken", "Golden", "Northern", "Electric", "Forgotten", "Velvet"),
        ("Harbour", "Witness", "Orchard", "Signal", "Kingdom", "Detective", "Summer", "Passage", "Machine", "Bride"),
    ),
    "books": (
        "{a} of {b}",
        ("A History", "The Gardens", "Letters", "The Daughters", "Essays", "The Weight", "Songs", "The Cartographer"),
        ("Glass", "Winter", "the River", "Small Things", "Ash and Salt", "the Interior", "Silence", "the Long Road"),
    ),
    "electronics": (
        "{a} {b}",
        ("Wireless", "Compact", "4K", "Ultra-Slim", "Rugged", "Noise-Cancelling", "Dual-Band", "Foldable", "Solar"),
        ("Headphones", "Router", "Camera", "Keyboard", "Monitor", "Charger", "Speaker", "Tablet", "Microphone"),
    ),
}


def titles(domain: str, follows: Int32Array, rng: np.random.Generator) -> tuple[str, ...]:
    """One title per item; the first successor of an item is named as its next part.

    Args:
        domain: movies, books or electronics.
        follows: successors of each item, int32 (items, followers).
        rng: chooses the words.
    """
    form, first, second = _WORDS[domain]
    name = [""] * len(follows)
    part = [0] * len(follows)
    for start in range(len(follows)):
        if name[start]:
            continue
        title = form.format(a=first[rng.integers(len(first))], b=second[rng.integers(len(second))])
        item, number = start, 1
        while not name[item]:
            name[item], part[item] = f"{title} {start}", number
            item, number = int(follows[item, 0]), number + 1
    return tuple(f"{title}, part {k}" if k > 1 else title for title, k in zip(name, part, strict=True))
