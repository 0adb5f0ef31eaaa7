"""Graphs small enough to be told edge by edge."""

from dataclasses import dataclass

import numpy as np

from r2rec_bench.core.types import Chain, InteractionLog, Query, Visibility
from r2rec_bench.graph import InteractionGraph, VisibleGraph

N_ITEMS = 6
Log = list[list[tuple[int, float, int]]]
"""Per user, in the order in which they acted: (item, rating, time)."""


@dataclass(frozen=True)
class World:
    users: Log
    query: Query
    target: int
    visibility: Visibility

    @property
    def visible(self) -> VisibleGraph:
        return InteractionGraph(self.log, self.visibility).visible(self.query)

    @property
    def log(self) -> InteractionLog:
        rows = [(user, *edge) for user, edges in enumerate(self.users) for edge in edges]
        user, item, rating, time = zip(*rows, strict=True) if rows else ((), (), (), ())
        ids = tuple(map(str, range(len(self.users))))
        return InteractionLog(
            np.array(user, np.int32),
            np.array(item, np.int32),
            np.array(rating, np.float32),
            np.array(time, np.int64),
            ids,
            tuple(map(str, range(N_ITEMS))),
        )


def walk(chain: Chain) -> tuple[int, ...]:
    """Nodes between u0 and the target, after a look at whether the edges hang together."""
    nodes = [chain.edges[0].user]
    for edge in chain.edges:
        known, new = (edge.user, edge.item) if edge.user == nodes[-1] else (edge.item, edge.user)
        assert known == nodes[-1]
        nodes.append(new)
    return tuple(nodes[1:-1])
