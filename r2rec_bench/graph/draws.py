"""Closed chains u0 → i0 → u1 → target drawn as rows and without weights: for large graphs, and many questions.

Every chain is a pair (i0, u1) with u1 among the people of i0 and among the target's. Each pair has a ticket, a hash of
the seed and the pair, and those chains are drawn whose tickets are lowest: uniform, each once, and whatever a query
must not see changes nothing. Nor does the way in which pairs are found, of which there are two:

    people    the people of every own item, sifted by the target's people
    logs      the logs of the target's people, sifted by the own items

The shorter one is taken. Both are read in the order in which they lie there. Memory is read at random only for pairs
that pass the sieve with a low enough ticket, and for many of them at once, so that they need not wait for each other.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from r2rec_bench.core.kernels import kernel, prefetch
from r2rec_bench.core.types import Chain, Int32Array, Int64Array
from r2rec_bench.graph.rows import NO_LIMIT, Rows, UInt32Array, View

UInt8Array: TypeAlias = NDArray[np.uint8]
UInt64Array: TypeAlias = NDArray[np.uint64]

_SIEVE_BITS = 128
"""Bits of the sieve for each of those it lets through: of the others one in so many passes."""
_LARGEST_SIEVE = 1 << 15
"""Bytes; a larger one would not stay in a processor's nearest cache."""
_BLOCK = 256
"""Edges sifted at a time."""
_BATCH = np.uint64(32)
"""Pairs looked at at a time: those of the next one need a ticket below the highest that this one left."""
_AHEAD = 64
"""Pieces of memory called for before the first of them is read."""
_LINE = 16
"""Edges that come together."""
_FINDING = 64
"""Edges that are read in the time that it takes to find a log in memory."""


class _Room(NamedTuple):
    """Memory that one question uses after the other.

    Attributes:
        sieve: as much of it as a question takes.
        target: whose people the sieve lets through, -1 if none's; int64 (1,).
        place: of the pairs (i0, u1) that may close a chain, at most two blocks of them: where the edge that passed the
            sieve lies, in the order of items (people) or users (logs).
        of: row of the own edge to i0 (people), or place of u1's edge to the target (logs).
        ticket: of the pair.
        member: which of those that the sieve lets through it is.
        lowest: tickets of the chains drawn, in order; the highest possible where there is none.
        begins: where the next `_AHEAD` pieces begin that are to be sifted.
        ends: where they end.
    """

    sieve: UInt8Array
    target: Int64Array
    place: UInt32Array
    of: UInt32Array
    ticket: UInt64Array
    member: UInt32Array
    lowest: UInt64Array
    begins: Int64Array
    ends: Int64Array


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
    drawn, room = np.empty(len(targets), np.int64), _room(out.shape[1])
    order = np.argsort(targets)  # questions about one target follow each other, while its people are in the cache
    for place in range(len(order)):
        k = int(order[place])
        view = View(queries[k, 0], queries[k, 1], queries[k, 2])
        logs = logs_are_shorter(rows, view, targets[k])
        drawn[k] = _draw(logs, rows, view, targets[k], forward, seeds[k], room, out[k])
    return drawn


@kernel
def draw_rows(rows: Rows, view: View, target: int, forward: bool, seed: int, out: Int64Array) -> int:
    """Fills `out`, int64 (n, 3), with the rows of distinct chains in walking order, and says how many, at most n."""
    return draw_by(logs_are_shorter(rows, view, target), rows, view, target, forward, seed, out)


@kernel
def draw_by(logs: bool, rows: Rows, view: View, target: int, forward: bool, seed: int, out: Int64Array) -> int:
    """`draw_rows` in the one way or the other."""
    return _draw(logs, rows, view, target, forward, seed, _room(len(out)), out)


@kernel
def _room(n: int) -> _Room:
    """Room for questions that want `n` chains each."""
    size = 2 * _BLOCK
    return _Room(
        np.empty(_LARGEST_SIEVE, np.uint8),
        np.full(1, -1),
        np.empty(size, np.uint32),
        np.empty(size, np.uint32),
        np.empty(size, np.uint64),
        np.empty(size, np.uint32),
        np.empty(n, np.uint64),
        np.empty(_AHEAD, np.int64),
        np.empty(_AHEAD, np.int64),
    )


@kernel
def logs_are_shorter(rows: Rows, view: View, target: int) -> bool:
    """Whether the logs of the target's people are sooner read than the people of the own items."""
    user_start, item_start, item = rows.user_start, rows.item_start, rows.item
    start = user_start[view.user]
    people = 0
    for row in range(start, start + view.position):
        people += item_start[item[row] + 1] - item_start[item[row]]
    logs = item_start[target + 1] - item_start[target]
    return logs * (_FINDING + 2 * len(item) // len(user_start)) < people


@kernel
def _draw(
    logs: bool, rows: Rows, view: View, target: int, forward: bool, seed: int, room: _Room, out: Int64Array
) -> int:
    """Sifts block by block, and keeps what passes once there is a block of it."""
    user_start, item_start, item = rows.user_start, rows.item_start, rows.item
    user_of, row_of = rows.item_user, rows.item_row
    sieve, place, of, lowest = room.sieve, room.place, room.of, room.lowest
    begins, ends = room.begins, room.ends
    lowest[:] = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
    first, last = item_start[target], item_start[target + 1]
    start = user_start[view.user]
    stop = start + view.position
    if logs:
        by_item = np.argsort(item[start:stop])
        members, member_rows = item[start:stop][by_item], (start + by_item).astype(np.int32)
        sifted, one_from, one_to = item, first, last
    else:
        members, member_rows = user_of[first:last], row_of[first:last]
        sifted, one_from, one_to = user_of, start, stop
    last_byte = _last_byte(len(members))
    if logs or room.target[0] != target:
        _fill(sieve, last_byte, members)
        room.target[0] = -1 if logs else target
    n, drawn = np.uint64(0), 0
    for ahead in range(one_from, one_to, _AHEAD):
        ones = range(ahead, min(ahead + _AHEAD, one_to))
        for one in ones:
            if logs:
                user = user_of[one]
                begin, end = user_start[user], row_of[one] if forward else user_start[user + 1]
            else:
                begin, end = item_start[item[one]], item_start[item[one] + 1]
            begins[one - ahead], ends[one - ahead] = begin, end
            prefetch(sifted, begin)
            prefetch(sifted, begin + _LINE)
        for one in ones:
            end = ends[one - ahead]
            for block in range(begins[one - ahead], end, _BLOCK):
                if n > np.uint64(_BLOCK):
                    drawn = _keep(logs, rows, view, forward, seed, members, member_rows, room, n, out, drawn)
                    n = np.uint64(0)
                before, n = n, _passing(sifted, block, min(block + _BLOCK, end), sieve, last_byte, place, n)
                for k in range(before, n):
                    of[k] = one
    return _keep(logs, rows, view, forward, seed, members, member_rows, room, n, out, drawn)


@kernel
def _keep(
    logs: bool,
    rows: Rows,
    view: View,
    forward: bool,
    seed: int,
    members: Int32Array,
    member_rows: Int32Array,
    room: _Room,
    n: np.uint64,
    out: Int64Array,
    drawn: int,
) -> int:
    """Takes those of the first `n` pairs into `out` that close a chain with a low enough ticket; how many it has then.

    One step for all pairs after the other, and each without a branch: so their reads of memory do not wait in line.
    """
    item, user_of, row_of, time = rows.item, rows.item_user, rows.item_row, rows.time
    place, of, ticket, member, lowest = room.place, room.of, room.ticket, room.member, room.lowest
    sifted = item if logs else user_of
    for batch in range(np.uint64(0), n, _BATCH):
        highest = lowest[-1]
        left = batch
        for k in range(batch, min(batch + _BATCH, n)):
            i, u = int(item[place[k] if logs else of[k]]), int(user_of[of[k] if logs else place[k]])
            place[left], of[left], ticket[left] = place[k], of[k], _ticket(seed, i, u)
            left += np.uint64((ticket[left] < highest) & (u != view.user))
        end, left = left, batch
        for k in range(batch, end):
            value = int(sifted[place[k]])
            found = _place(members, value)
            place[left], of[left], ticket[left], member[left] = place[k], of[k], ticket[k], found
            left += np.uint64(members[found] == value)
        for k in range(batch, left):
            place[k], of[k] = place[k] if logs else row_of[place[k]], row_of[of[k]] if logs else of[k]
        for k in range(batch, left):
            own, a, b = of[k], place[k], np.uint32(member_rows[member[k]])
            if logs:
                own, b = b, own
            if ticket[k] >= lowest[-1] or a == b or (forward and a > b):
                continue
            if view.limit != NO_LIMIT and (time[a] >= view.limit or time[b] >= view.limit):
                continue
            slot = min(drawn, len(out) - 1)
            while slot > 0 and lowest[slot - 1] > ticket[k]:
                lowest[slot] = lowest[slot - 1]
                out[slot, 0], out[slot, 1], out[slot, 2] = out[slot - 1, 0], out[slot - 1, 1], out[slot - 1, 2]
                slot -= 1
            lowest[slot] = ticket[k]
            out[slot, 0], out[slot, 1], out[slot, 2] = own, a, b
            drawn = min(drawn + 1, len(out))
    return drawn


@kernel
def _passing(
    values: Int32Array,
    begin: int,
    end: int,
    sieve: UInt8Array,
    last_byte: np.uint32,
    passed: UInt32Array,
    n: np.uint64,
) -> np.uint64:
    """Adds to the `n` places in `passed` those from `begin` to `end` whose value passes the sieve; how many then.

    Every place is written, and the next one over it unless its value passes: a branch here would be guessed wrong
    often. Counters have no sign: of others numba asks at every step whether they count from the end.
    """
    for place in range(np.uint64(begin), np.uint64(end)):
        value = np.uint32(values[place])
        passed[n] = place
        n += np.uint64((sieve[(value >> np.uint32(3)) & last_byte] >> np.uint8(value & np.uint32(7))) & np.uint8(1))
    return n


@kernel
def _last_byte(members: int) -> np.uint32:
    """Of the sieve for so many."""
    size = 128
    while size < min(_SIEVE_BITS // 8 * members, _LARGEST_SIEVE):
        size *= 2
    return np.uint32(size - 1)


@kernel
def _fill(sieve: UInt8Array, last_byte: np.uint32, members: Int32Array) -> None:
    """Bits by the last digits of an index: 1 for all of these, and for few others."""
    sieve[: last_byte + 1] = 0
    for k in range(len(members)):
        value = np.uint32(members[k])
        sieve[(value >> np.uint32(3)) & last_byte] |= np.uint8(1) << np.uint8(value & np.uint32(7))


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
def _place(values: Int32Array, value: int) -> np.uint64:
    """Where `value` lies among these, in order and at least one; where it does not, any place."""
    one = np.uint64(1)
    begin, n = np.uint64(0), np.uint64(len(values))
    while n > one:
        half = n >> one
        begin += half * np.uint64(values[begin + half - one] < value)
        n -= half
    return begin
