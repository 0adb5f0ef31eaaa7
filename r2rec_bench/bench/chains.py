"""Closed chains in generated graphs of 0.1 to 30 million edges, beside Python and beside walks that need not close.

A question is a user's last interaction, masked; chains go forward in time. Both ways of drawing read the same rows.
Chains and walks of one core are timed by the processor's clock, all else by the wall's.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from r2rec_bench.bench.base import Measurement, at_least, at_most, per_second, seconds, side_by_side, times
from r2rec_bench.bench.worlds import FULL, Edges, edges
from r2rec_bench.core.kernels import kernel
from r2rec_bench.core.types import Int32Array, Int64Array, InteractionLog, Visibility
from r2rec_bench.graph import InteractionGraph
from r2rec_bench.graph.draws import draw_many
from r2rec_bench.graph.rows import NO_LIMIT, Rows, View, rows_of

CURVE = (0.1, 0.3, 1, 3, 10, 30)
"""Millions of edges."""
MANY, FEW = 64, 8
"""Chains per question: the most that samplers can be asked for, and what they are asked for by default."""
QUESTIONS, PYTHON_QUESTIONS = 20_000, 500
CORES = 2
_BITS = (1 << 64) - 1


class Questions(NamedTuple):
    """As `draw_many` takes them, and room for its chains."""

    queries: Int64Array
    targets: Int32Array
    seeds: Int64Array
    out: Int64Array

    def part(self, share: slice) -> Questions:
        """Some of them."""
        return Questions(self.queries[share], self.targets[share], self.seeds[share], self.out[share])


def measure(scale: float) -> Iterator[Measurement]:
    """Cost per chain by size of the graph; beside Python in a small one; all that is asked of the largest."""
    for millions in CURVE:
        n = max(300, round(millions * 1e6 * scale))
        rng = np.random.default_rng(0)
        made = edges(n, rng)
        rows = rows_of(_log(made))
        walk(rows, questions(rows, 1, 1, rng).queries, 1, rng)  # compiled
        size = f"{n:,} edges"
        for chains in (FEW, MANY):
            asked = questions(rows, max(20, round(QUESTIONS * scale)), chains, rng)
            yield _beside_a_walk(f"{chains} chains a question, {size}", rows, asked, rng, judged=n == FULL)
        if millions == 1:
            for chains in (FEW, MANY):
                yield _beside_python(f"{chains} chains a question, {size}, beside Python", rows, chains, rng)
        if millions == CURVE[-1]:
            yield from _largest(made, rows, scale, rng)


def _beside_a_walk(what: str, rows: Rows, asked: Questions, rng: np.random.Generator, *, judged: bool) -> Measurement:
    drawn = draw(rows, asked)
    n = asked.targets.size * asked.out.shape[1]
    ours, plain = side_by_side(
        lambda: draw(rows, asked), lambda: walk(rows, asked.queries, n, rng), 3, time.process_time
    )
    return Measurement(
        f"{what} ({drawn / len(asked.targets):.1f} are there)",
        "chains/s",
        per_second(drawn, ours),
        per_second(n, plain),
        "walks of three steps that need not close, numba",
        times(1 / 3) if judged else None,
    )


def _beside_python(what: str, rows: Rows, chains: int, rng: np.random.Generator) -> Measurement:
    asked = questions(rows, PYTHON_QUESTIONS, chains, rng)
    lists = Rows(*(column.tolist() for column in rows))
    n = draw(rows, asked)
    ours, plain = side_by_side(lambda: draw(rows, asked), lambda: plain_draw_many(lists, asked), 3, time.process_time)
    return Measurement(
        what, "chains/s", per_second(n, ours), per_second(n, plain), "the same chains in Python", times(100)
    )


def _largest(made: Edges, rows: Rows, scale: float, rng: np.random.Generator) -> Iterator[Measurement]:
    log, n = _log(made), len(made.user)
    ours, plain = side_by_side(lambda: InteractionGraph(log, Visibility.FOLD), lambda: _sparse(made), runs=3)
    yield Measurement(f"graph of {n:,} edges built", "s", ours, plain, "both orders by scipy.sparse", at_most(30))
    resident = sum(column.nbytes for column in rows) / n
    yield Measurement(f"graph of {n:,} edges in memory", "bytes/edge", (resident,), target=at_most(24))
    for chains in (FEW, MANY):
        asked = questions(rows, max(20, round(QUESTIONS * scale)), chains, rng)
        drawn = draw(rows, asked)
        took = tuple(seconds(lambda asked=asked: draw_on_cores(rows, asked)) for _ in range(3))
        yield Measurement(
            f"{chains} chains a question, {n:,} edges, {CORES} cores",
            "chains/s",
            per_second(drawn, took),
            target=at_least(1e6),
        )


def questions(rows: Rows, n: int, chains: int, rng: np.random.Generator) -> Questions:
    """What the last interaction of `n` random users with several would have been asked."""
    lengths = np.diff(rows.user_start)
    users = rng.choice(np.flatnonzero(lengths > 1), n)
    queries = np.stack([users, lengths[users] - 1, np.full(n, NO_LIMIT)], axis=1)
    targets = rows.item[rows.user_start[users + 1] - 1]
    return Questions(queries, targets, rng.integers(1 << 63, size=n), np.empty((n, chains, 3), np.int64))


def draw(rows: Rows, asked: Questions) -> int:
    """Draws them all into their `out`; how many chains there were."""
    return int(draw_many(rows, asked.queries, asked.targets, True, asked.seeds, asked.out).sum())


def draw_on_cores(rows: Rows, asked: Questions) -> int:
    """The same on several cores, which kernels leave each other."""
    bounds = np.linspace(0, len(asked.targets), CORES + 1).astype(int).tolist()
    parts = [asked.part(slice(*bound)) for bound in pairwise(bounds)]
    with ThreadPoolExecutor(CORES) as threads:
        return sum(threads.map(draw, [rows] * CORES, parts))


def plain_draw_many(rows: Rows, asked: Questions) -> list[list[tuple[int, int, int]]]:
    """`draw_many` in Python; the columns of `rows` may be lists."""
    n = asked.out.shape[1]
    told = zip(asked.queries.tolist(), asked.targets.tolist(), asked.seeds.tolist(), strict=True)
    return [plain_draw(rows, View(*query), target, n, seed, forward=True) for query, target, seed in told]


def plain_draw(rows: Rows, view: View, target: int, n: int, seed: int, *, forward: bool) -> list[tuple[int, int, int]]:
    """Rows of the `n` closed chains with the lowest tickets, told as they are defined."""
    to_target = {
        rows.item_user[k]: rows.item_row[k] for k in range(rows.item_start[target], rows.item_start[target + 1])
    }
    found: list[tuple[int, tuple[int, int, int]]] = []
    start = rows.user_start[view.user]
    for own in range(start, start + view.position):
        item = rows.item[own]
        for k in range(rows.item_start[item], rows.item_start[item + 1]):
            peer, here = rows.item_user[k], rows.item_row[k]
            there = to_target.get(peer)
            if item == target or peer == view.user or there is None or (forward and here > there):
                continue
            if rows.time[here] < view.limit and rows.time[there] < view.limit:
                found.append((_plain_ticket(seed, int(item), int(peer)), (int(own), int(here), int(there))))
    return [walked for _, walked in sorted(found)[:n]]


def _plain_ticket(seed: int, item: int, user: int) -> int:
    x = seed ^ (item << 32 | user)
    for _ in range(2):
        x = (x + 0x9E3779B97F4A7C15) & _BITS
        x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & _BITS
        x = (x ^ x >> 27) * 0x94D049BB133111EB & _BITS
        x ^= x >> 31
    return x


@kernel
def walk(rows: Rows, queries: Int64Array, n: int, rng: np.random.Generator) -> int:
    """Walks u0 → i0 → u1 → j, every step uniform, `n` in all and as many from each user; the sum of where they end."""
    ends = 0
    for k in range(n):
        user, position = queries[k % len(queries), 0], queries[k % len(queries), 1]
        item = rows.item[rows.user_start[user] + rng.integers(0, position)]
        peer = rows.item_user[rng.integers(rows.item_start[item], rows.item_start[item + 1])]
        ends += int(rows.item[rng.integers(rows.user_start[peer], rows.user_start[peer + 1])])
    return ends


def _sparse(made: Edges) -> None:
    from scipy.sparse import coo_array

    ones = np.ones(len(made.user), np.float32)
    pairs = coo_array((ones, (made.user, made.item)), shape=(made.n_users, made.n_items))
    pairs.tocsr()
    pairs.tocsc()


def _log(made: Edges) -> InteractionLog:
    """Without ratings, and with ids that nobody asks for."""
    unrated = np.full(len(made.user), np.nan, np.float32)
    return InteractionLog(made.user, made.item, unrated, made.time, ("",) * made.n_users, ("",) * made.n_items)
