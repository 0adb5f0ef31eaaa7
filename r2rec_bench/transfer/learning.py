"""What a model that is carried over has learnt from: traces of a source, of several mixed, of a few target users.

Every set of traces and every checkpoint is an artifact, so that the source's own training is found, not done again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from r2rec_bench.core.config import Spec
from r2rec_bench.core.errors import InputError
from r2rec_bench.core.seeds import generator
from r2rec_bench.core.store import Artifact
from r2rec_bench.core.texts import Trace
from r2rec_bench.core.types import Candidates, Int64Array, InteractionLog
from r2rec_bench.deciding import rooms
from r2rec_bench.files import TRACES
from r2rec_bench.inputs import Inputs
from r2rec_bench.pipeline import Pipeline
from r2rec_bench.traces.queries import TrainingQuery, draw_queries
from r2rec_bench.traces.store import read_traces, write_traces
from r2rec_bench.transfer.definition import FewShot

_CODE = rooms("core.seeds", "core.texts", "transfer.learning", "traces.store")


class Learner(Pipeline):
    """Trains on traces that it is given, in the place of its own experiment's.

    Args:
        like: whose settings, store and watcher it has; of the experiment only what training reads counts, which all
            domains have in common.
        taught: the traces that each stage learns from, stage by stage.
    """

    def __init__(self, like: Pipeline, taught: Sequence[Artifact]) -> None:
        super().__init__(like.experiment, like.store, like.watcher)
        self._taught = tuple(taught)

    def lessons(self, stages: Sequence[Spec]) -> Artifact:
        return self._taught[len(stages) - 1]


def mixed_traces(sources: Sequence[Inputs], seed: int) -> Artifact:
    """Traces of several domains in equal parts, shuffled, in all as many as the smallest of them has alone.

    So a model of many sources has learnt from no more than a model of one. Each part is the beginning of its source's
    traces, which are in drawn order.

    Args:
        sources: at least one.
        seed: of the order.
    """
    parts = [source.traces for source in sources]

    def make(out: Path) -> None:
        write_traces(mixed([read_traces(part.path / TRACES) for part in parts], seed), out / TRACES)

    return sources[0].make("traces", {"mixed": len(parts), "seed": seed}, parts, _CODE, make, title="mixed traces")


def mixed(parts: Sequence[Sequence[Trace]], seed: int) -> list[Trace]:
    """Equal parts of each, shuffled, in all as many as the smallest has; what does not divide falls to the first."""
    n = min(map(len, parts))
    shares = [n // len(parts) + (place < n % len(parts)) for place in range(len(parts))]
    together = [trace for part, share in zip(parts, shares, strict=True) for trace in part[:share]]
    return [together[place] for place in generator(seed, "mixed traces").permutation(n)]


def few_shot_traces(target: Inputs, few_shot: FewShot, users: int) -> Artifact:
    """Traces of so many users of the target, none of whom is asked about.

    What the evidence shows is the target's whole visible graph, here as everywhere: what everybody did is data that a
    question may quote. Learnt from, by their answers, are these users alone.

    Raises:
        InputError: the target has fewer users to learn from.
    """
    e = target.experiment
    config = e.queries.model_copy(update={"n": users * few_shot.questions})

    def draw() -> list[TrainingQuery]:
        log = target.asking.visible_log(target.dataset)
        chosen = shot_users(log, target.candidate_lists, users, e.seed)
        return draw_queries(log.select(np.isin(log.user, chosen)), config, e.seed, target.asking.outcomes)

    drawn = {"queries": config.model_dump(mode="json"), "users": users}
    return target.traces_about(draw, drawn, (target.candidates,), rooms("transfer.learning"))


def shot_users(log: InteractionLog, asked: Candidates, n: int, seed: int) -> Int64Array:
    """The users to learn from, ascending: `n` of those with a history to ask about and without a list, by the seed.

    Args:
        log: the visible fold.
        asked: the target's frozen lists.
        n: how many; the same seed gives more users as fewer and some others.
        seed: of the draw.

    Raises:
        InputError: there are fewer.
    """
    length = np.diff(log.offsets())
    able = (length >= 2) & (length < log.n_items)
    able[[query.user for query in asked.queries]] = False
    free = np.flatnonzero(able)
    if len(free) < n:
        raise InputError(
            f"few_shot.users: {n:,} users to learn from, but {len(free):,} have two visible interactions and are not "
            f"among the {len(asked):,} asked about. Take fewer of either: few_shot.users or candidates.users"
        )
    return np.sort(generator(seed, "few-shot users").permutation(free)[:n])
