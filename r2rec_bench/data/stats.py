"""What there is to know about a data set before using it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from r2rec_bench.data.base import Dataset


@dataclass(frozen=True, slots=True)
class DataStats:
    """Counts of a data set.

    Attributes:
        name: as reported.
        users: with at least one interaction.
        items: with at least one interaction.
        interactions: repeated pairs removed.
        density: interactions per possible (user, item) pair, 0 to 1.
        ratings: interactions by rating value, ascending.
        missing_ratings: interactions without a rating.
        first_time: of the earliest interaction, s UTC.
        last_time: of the latest.
        fewest: interactions of the least active user.
        median: of the median user.
        most: of the most active.
        drops: what a documented rule left out, named or moved, counted by reason.
        licence: what the owners allow.
        origin: where it was read from.
        synthetic: whether a generator made it.
    """

    name: str
    users: int
    items: int
    interactions: int
    density: float
    ratings: dict[float, int]
    missing_ratings: int
    first_time: int
    last_time: int
    fewest: int
    median: float
    most: int
    drops: dict[str, int]
    licence: str
    origin: str
    synthetic: bool


def stats(dataset: Dataset) -> DataStats:
    """The counts of `dataset`."""
    log = dataset.log
    rated = np.isfinite(log.rating)
    values, counts = np.unique(log.rating[rated], return_counts=True)
    per_user = np.bincount(log.user)
    per_user = per_user[per_user > 0]
    users, items = len(per_user), len(np.unique(log.item))
    return DataStats(
        name=dataset.name,
        users=users,
        items=items,
        interactions=len(log),
        density=len(log) / (users * items),
        ratings=dict(zip(values.tolist(), counts.tolist(), strict=True)),
        missing_ratings=int((~rated).sum()),
        first_time=int(log.time.min()),
        last_time=int(log.time.max()),
        fewest=int(per_user.min()),
        median=float(np.median(per_user)),
        most=int(per_user.max()),
        drops=dataset.drops,
        licence=dataset.licence,
        origin=dataset.origin,
        synthetic=dataset.synthetic,
    )
