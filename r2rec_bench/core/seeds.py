"""Random generators derived from (seed, purpose...), so that no draw depends on another's order."""

from __future__ import annotations

import hashlib

import numpy as np


def derive(seed: int, *purpose: str | int) -> int:
    """A 64-bit seed for one purpose, the same on every machine and in every process."""
    text = "\x1f".join([str(seed), *(str(part) for part in purpose)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def generator(seed: int, *purpose: str | int) -> np.random.Generator:
    """A generator for one purpose, e.g. `generator(seed, "candidates", user_id)`.

    Two purposes give independent streams; adding a user or a component never shifts another's draws.
    """
    return np.random.Generator(np.random.PCG64(derive(seed, *purpose)))
