"""What every negative sampler promises."""

from __future__ import annotations

import numpy as np

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.seeds import generator
from r2rec_bench.core.types import Int32Array, Int64Array
from r2rec_bench.data.base import NegativeSampler
from r2rec_bench.testing.comparing import refusal, require_array, require_same, require_unchanged, told
from r2rec_bench.testing.contract import require
from r2rec_bench.testing.every import contract

CONTRACT = contract("negatives", NegativeSampler)
_N_ITEMS = 12


def _cases() -> list[tuple[Int32Array, int, Int64Array, int]]:
    """Touched items, the positive, popularity, how many: few and many touched, items that nobody knows, all of it."""
    skewed = np.array([900, 0, 40, 0, 3, 3, 0, 1, 0, 0, 7, 2])
    flat = np.zeros(_N_ITEMS, np.int64)
    some, most = np.array([0, 3, 7], np.int32), np.array([0, 1, 2, 3, 5, 6, 7, 8, 10, 11], np.int32)
    one = np.array([11], np.int32)
    return [(some, 3, skewed, 4), (some, 0, flat, 9), (most, 10, skewed, 2), (one, 11, skewed, 1), (most, 0, flat, 1)]


@CONTRACT.rule
def negatives_are_distinct_and_untouched(sampler: NegativeSampler) -> None:
    """`n` distinct items, int32, that the user touches nowhere in the log, not even after the question."""
    for touched, positive, popularity, n in _cases():
        for seed in range(20):
            drawn = sampler.draw(touched, positive, popularity, n, generator(seed, "negatives"))
            items = require_array(drawn, np.int32, (n,), f"{n} of {_N_ITEMS - len(touched)} untouched items").tolist()
            require(set(items) <= set(range(_N_ITEMS)), f"items {items}", f"indices 0 to {_N_ITEMS - 1}")
            require(len(set(items)) == n, f"items {items}", "no item twice")
            hit = sorted(set(items) & set(touched.tolist()))
            require(not hit, f"item {hit} that the user touched", "untouched items")


@CONTRACT.rule
def the_same_generator_gives_the_same_negatives(sampler: NegativeSampler) -> None:
    """The same generator gives the same items, whatever was drawn before, and what is handed in is left as it was."""
    for touched, positive, popularity, n in _cases():
        before = told((touched, popularity))
        first, second = (
            one.draw(touched, positive, popularity, n, generator(3, "negatives"))
            for one in (sampler, type(sampler)(sampler.config))
        )
        require_same(second, first, "the same generator twice", "the same items")
        require_unchanged(before, (touched, popularity), "the touched items or their popularity")


@CONTRACT.rule
def too_few_items_are_refused(sampler: NegativeSampler) -> None:
    """Where fewer than `n` items are untouched there is an InputError, and no shorter list."""
    touched, popularity = np.arange(_N_ITEMS - 2, dtype=np.int32), np.ones(_N_ITEMS, np.int64)
    refused = refusal(lambda: sampler.draw(touched, 0, popularity, 3, generator(0, "negatives")), InputError)
    require(refused is not None, "items, though 2 are untouched and 3 are asked for", "an InputError")
