"""The k-core against networkx-like brute force: remove one at a time until nothing is too small."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from r2rec_bench.data.kcore import k_core

PAIRS = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), unique=True, max_size=40)


def one_at_a_time(pairs: list[tuple[int, int]], k: int) -> set[tuple[int, int]]:
    left = set(pairs)
    while True:
        small = next(
            (
                pair
                for pair in sorted(left)
                if sum(p[0] == pair[0] for p in left) < k or sum(p[1] == pair[1] for p in left) < k
            ),
            None,
        )
        if small is None:
            return left
        left.remove(small)


def core(pairs: list[tuple[int, int]], k: int) -> set[tuple[int, int]]:
    user, item = (np.array([pair[side] for pair in pairs], dtype=np.int32) for side in (0, 1))
    kept = k_core(user, item, k)
    assert kept.shape == (len(pairs),)
    return {pair for pair, stays in zip(pairs, kept, strict=True) if stays}


@given(PAIRS, st.integers(0, 4))
def test_the_core_is_what_taking_out_one_at_a_time_leaves(pairs, k):
    assert core(pairs, k) == one_at_a_time(pairs, k)


def test_a_chain_of_removals_is_followed_to_its_end():
    # Item 3 is too small, which makes user 1 too small, which makes item 2 too small.
    square = [(u, i) for u in (5, 6) for i in (5, 6)]
    assert core([*square, (0, 2), (1, 2), (1, 3)], 2) == set(square)
