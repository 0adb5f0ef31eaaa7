"""Closed chains over two peers, u0 → i0 → u1 → m → u2 → target: too many to list, so they are counted and drawn.

With u2's edge to m fixed, what leads there are the pairs (i0, u1) with u1 among m's people. So two sums count all
chains: `ways_in[row]`, for the edge (u, m) at that row the number of shared items through which u0 reaches it, and
`ways_to[m]`, the sum of that over m's people. Through the edge (u2, m) go `ways_to[m] - ways_in[row]` chains, because
u1 is not u2. The k-th chain of that count is found by walking it backwards: a chain drawn by its number is exactly
uniform.
"""

from __future__ import annotations

import numpy as np

from r2rec_bench.core.kernels import kernel
from r2rec_bench.core.types import Chain, Int32Array, Int64Array
from r2rec_bench.graph.rows import Rows, View, own_rows


def draw_long_chains(
    rows: Rows, view: View, target: int, n: int, rng: np.random.Generator, *, forward: bool
) -> list[Chain]:
    """`n` distinct chains, uniform over all valid ones; all of them where there are fewer.

    Args:
        rows: the edges.
        view: what the query sees of them.
        target: item index.
        n: how many.
        rng: draws the numbers of the chains.
        forward: each peer moved forward: u1 came to m after i0, and u2 to the target after m.
    """
    own_row = own_rows(rows, view, target)
    ways_in, ways_to = _ways(rows, view, own_row, forward)
    last_rows, target_rows, until = _last_edges(rows, view, ways_in, ways_to, target, forward)
    total = int(until[-1]) if len(until) else 0
    numbers = rng.choice(total, min(n, total), replace=False) if total else np.empty(0, np.int64)
    walks = _walks(rows, own_row, ways_in, last_rows, target_rows, until, numbers)
    return [rows.chain(walk) for walk in walks]


@kernel
def _ways(rows: Rows, view: View, own_row: Int64Array, forward: bool) -> tuple[Int32Array, Int64Array]:
    """(`ways_in` int32 (rows,), `ways_to` int64 (items,)); neither leads through u0."""
    ways_in = np.zeros(len(rows.item), np.int32)
    ways_to = np.zeros(len(own_row), np.int64)
    for user in range(len(rows.user_start) - 1):
        if user == view.user:
            continue
        first, last = rows.user_start[user], rows.user_start[user + 1]
        shared = 0
        for row in range(first, last):
            if rows.time[row] >= view.limit:
                last = row
                break
            ways_in[row] = shared
            shared += own_row[rows.item[row]] >= 0
        for row in range(first, last):
            if not forward:
                ways_in[row] = shared - (own_row[rows.item[row]] >= 0)
            ways_to[rows.item[row]] += ways_in[row]
    return ways_in, ways_to


@kernel
def _last_edges(
    rows: Rows, view: View, ways_in: Int32Array, ways_to: Int64Array, target: int, forward: bool
) -> tuple[Int64Array, Int64Array, Int64Array]:
    """Edges (u2, m) of all who reach the target, int64 each: their rows, u2's row to it, chains up to and with each."""
    size = 0
    people = range(rows.item_start[target], rows.item_start[target + 1])
    for person in people:
        size += rows.user_start[rows.item_user[person] + 1] - rows.user_start[rows.item_user[person]]
    last_rows, target_rows, until = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)
    n = total = 0
    for person in people:
        user, there = rows.item_user[person], rows.item_row[person]
        if user == view.user or rows.time[there] >= view.limit:
            continue
        for row in range(rows.user_start[user], there if forward else rows.user_start[user + 1]):
            if row == there:
                continue
            if rows.time[row] >= view.limit:
                break
            total += ways_to[rows.item[row]] - ways_in[row]
            last_rows[n], target_rows[n], until[n] = row, there, total
            n += 1
    return last_rows[:n], target_rows[:n], until[:n]


@kernel
def _walks(
    rows: Rows,
    own_row: Int64Array,
    ways_in: Int32Array,
    last_rows: Int64Array,
    target_rows: Int64Array,
    until: Int64Array,
    numbers: Int64Array,
) -> Int64Array:
    """Rows of the chains with these numbers in walking order, int64 (numbers, 5)."""
    walks = np.empty((len(numbers), 5), np.int64)
    for k in range(len(numbers)):
        place = np.searchsorted(until, numbers[k], side="right")
        last = last_rows[place]
        middle = rows.item[last]
        left = numbers[k] - (until[place - 1] if place else 0)

        person = rows.item_start[middle]
        while True:
            onward = rows.item_row[person]
            if onward != last:
                if left < ways_in[onward]:
                    break
                left -= ways_in[onward]
            person += 1

        anchor = rows.user_start[rows.item_user[person]]
        while True:
            if own_row[rows.item[anchor]] >= 0 and anchor != onward:
                if left == 0:
                    break
                left -= 1
            anchor += 1
        walks[k, 0], walks[k, 1], walks[k, 2] = own_row[rows.item[anchor]], anchor, onward
        walks[k, 3], walks[k, 4] = last, target_rows[place]
    return walks
