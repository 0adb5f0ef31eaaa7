"""Closed chains u0 → i0 → u1 → target drawn as rows and without weights: for large graphs, and many questions.

Every chain is a pair (i0, u1) with u1 among the people of i0 and among the target's. Each pair has a ticket, a hash of
the seed and the pair, and those chains are drawn whose tickets are lowest: uniform, each once, and whatever a query
must not see changes nothing. So only a pair with a low enough ticket is looked at closely, which reads memory at
random; all others are passed over in the order in which they lie there, most of them by a sieve of the target's people.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from r2rec_bench.core.kernels import kernel
from r2rec_bench.core.types import Chain, Int32Array, Int64Array
from r2rec_bench.graph.rows import NO_LIMIT, Rows, View

UInt8Array: TypeAlias = NDArray[np.uint8]

_SIEVE_BITS = 32
"""Bits of the sieve for each of the target's people: one in so many others passes. An item with so many times as many
people is not sifted: the target's are looked for among them."""
_LARGEST_SIEVE = 1 << 15
"""Bytes; a larger one would not stay in a processor's nearest cache."""
_BLOCK = 1024
"""People sifted at a time."""


def draw_closed(rows: Rows, view: View, target: int, n: int, rng: np.random.Generator, *, forward: bool) -> list[Chain]:
    """`n` distinct closed chains, uniform over all valid ones; all of them where there are fewer.

    Args:
        rows: the edges.
        view: what the query sees of them.
        target: item index.
        n: how many.
        rng: gives the seed of the tickets.
        forward: the peer came to the target after i0.
    """
    out = np.empty((n, 3), np.int64)
    seed = int(rng.integers(1 << 63))
    return [rows.chain(walk) for walk in out[: draw_rows(rows, view, target, forward, seed, out)]]


@kernel
def draw_many(
    rows: Rows, queries: Int64Array, targets: Int32Array, forward: bool, seeds: Int64Array, out: Int64Array
) -> Int64Array:
    """`draw_rows` of many questions, without an object of Python's for any of them.

    Args:
        rows: the edges.
        queries: user, position and limit of each, int64 (q, 3), as in `View`.
        targets: int32 (q,).
        forward: as in `draw_closed`.
        seeds: of the tickets, not negative, int64 (q,).
        out: filled, int64 (q, n, 3).

    Returns:
        How many chains of each are filled, int64 (q,).
    """
    drawn = np.empty(len(targets), np.int64)
    for k in range(len(targets)):
        view = View(queries[k, 0], queries[k, 1], queries[k, 2])
        drawn[k] = draw_rows(rows, view, targets[k], forward, seeds[k], out[k])
    return drawn


@kernel
def draw_rows(rows: Rows, view: View, target: int, forward: bool, seed: int, out: Int64Array) -> int:
    """Fills `out`, int64 (n, 3), with the rows of distinct chains in walking order, and says how many, at most n."""
    users = rows.item_user
    first, last = rows.item_start[target], rows.item_start[target + 1]
    sieve = _sieve(users[first:last])
    passed = np.empty(_BLOCK, np.int32)
    tickets = np.full(len(out), np.uint64(0xFFFF_FFFF_FFFF_FFFF))
    limited = view.limit != NO_LIMIT  # else no time need be read
    drawn = 0
    start = rows.user_start[view.user]
    for own_row in range(start, start + view.position):
        item = rows.item[own_row]
        if item == target:
            continue
        here_first, here_last = rows.item_start[item], rows.item_start[item + 1]
        sifted = here_last - here_first <= (last - first) * _SIEVE_BITS
        begin, end = (here_first, here_last) if sifted else (first, last)
        other_first, other_last = (first, last) if sifted else (here_first, here_last)
        for block in range(begin, end, _BLOCK):
            block_end = int(min(block + _BLOCK, end))
            n = _passing(users, block, block_end, sieve, passed) if sifted else block_end - block
            for k in range(n):
                given = passed[k] if sifted else block + k
                user = users[given]
                ticket = _ticket(seed, item, user)
                if ticket >= tickets[-1]:
                    continue
                found = _place(users, int(other_first), int(other_last), int(user))
                if found == other_last or users[found] != user or user == view.user:
                    continue
                here, there = (given, found) if sifted else (found, given)
                a, b = rows.item_row[here], rows.item_row[there]
                if forward and a >= b:
                    continue
                if limited and (rows.time[a] >= view.limit or rows.time[b] >= view.limit):
                    continue
                slot = min(drawn, len(out) - 1)
                while slot > 0 and tickets[slot - 1] > ticket:
                    tickets[slot] = tickets[slot - 1]
                    out[slot, 0], out[slot, 1], out[slot, 2] = out[slot - 1, 0], out[slot - 1, 1], out[slot - 1, 2]
                    slot -= 1
                tickets[slot] = ticket
                out[slot, 0], out[slot, 1], out[slot, 2] = own_row, a, b
                drawn = min(drawn + 1, len(out))
    return drawn


@kernel
def _passing(users: Int32Array, begin: int, end: int, sieve: UInt8Array, passed: Int32Array) -> int:
    """Fills `passed` with the places from `begin` to `end` whose user passes the sieve, and says how many.

    Every place is written, and the next one over it unless its user passes: a branch here would be guessed wrong often.
    """
    n = 0
    last_byte = np.uint32(len(sieve) - 1)
    for place in range(begin, end):
        user = np.uint32(users[place])
        passed[n] = place
        n += (sieve[(user >> np.uint32(3)) & last_byte] >> np.uint8(user & np.uint32(7))) & 1
    return n


@kernel
def _sieve(people: Int32Array) -> UInt8Array:
    """Bits by the last digits of a user's index, uint8 (bits / 8,): 1 for all of these people, and for few others."""
    size = 128
    while size < min(_SIEVE_BITS // 8 * len(people), _LARGEST_SIEVE):
        size *= 2
    sieve = np.zeros(size, np.uint8)
    for user in people:
        sieve[(user >> 3) & (size - 1)] |= np.uint8(1 << (user & 7))
    return sieve


@kernel
def _ticket(seed: int, item: int, user: int) -> np.uint64:
    """A hash of all three, uint64.

    Source: the finaliser of SplitMix64, Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
    OOPSLA 2014.
    """
    x = np.uint64(seed) ^ (np.uint64(item) << np.uint64(32) | np.uint64(user))
    for _ in range(2):  # once more than the source: seeds and pairs are not spread over the bits to begin with
        x += np.uint64(0x9E37_79B9_7F4A_7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
        x ^= x >> np.uint64(31)
    return x


@kernel
def _place(users: Int32Array, begin: int, end: int, user: int) -> int:
    """The first place from `begin` on whose user is not below `user`; `end` if there is none."""
    while begin < end:
        middle = (begin + end) // 2
        if users[middle] < user:
            begin = middle + 1
        else:
            end = middle
    return begin
