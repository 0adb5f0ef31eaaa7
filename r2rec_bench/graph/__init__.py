"""The time-indexed user–item graph; only a query's visible graph leaves it.

A query `(user, time)` sees the fold's edges, less the query user's own interactions from its moment on, and with
visibility `past` also less everybody's edges at or after `time`. The rule is enforced here, in
the kernels that walk the edges, so that no sampler can break it: not by an edge, and not inside a count.

    rows          the edges in both orders, and what a query may see of them
    closures      all closed chains u0 → i0 → u1 → target
    draws         some of them, drawn without listing all
    bundles       those chains folded into counts per shared item
    long_chains   closed chains over two peers, drawn without listing them
    walks         walks of the same shape that need not end in the target
    visible       the graph of a fold, and the part of it that one query sees
"""

from r2rec_bench.graph.closures import Closures
from r2rec_bench.graph.visible import Audience, InteractionGraph, VisibleGraph

__all__ = ["Audience", "Closures", "InteractionGraph", "VisibleGraph"]
