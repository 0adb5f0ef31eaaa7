"""The families of this room: sources, splits, negative samplers."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.paths import data_root
from r2rec_bench.core.registry import Component, Registry
from r2rec_bench.core.types import BoolArray, Int32Array, Int64Array, InteractionLog, ItemCatalog, Visibility

Int8Array: TypeAlias = NDArray[np.int8]

BUILT_IN_FOLDERS = {"ml-1m", "ml-100k"}
"""Folders of `R2REC_DATA` that a built-in source reads under a name of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """A data set ready for use.

    Attributes:
        name: as reported.
        log: interactions, repeated pairs removed.
        catalog: titles, aligned with `log.item_ids`.
        synthetic: true when a generator made it; every output then says so.
        licence: what its owners allow, in a sentence.
        origin: the file or address it was read from, with the checksum that was verified, if any.
        drops: what a documented rule left out, named or moved, counted by reason.
        bayes_hr1: HR@1 of the best possible ranker, where the generator knows it; NaN otherwise.
    """

    name: str
    log: InteractionLog
    catalog: ItemCatalog
    synthetic: bool
    licence: str
    origin: str
    drops: dict[str, int] = field(default_factory=dict[str, int])
    bayes_hr1: float = float("nan")


class Source(Component):
    """Finds, checks and reads one data set."""

    @abstractmethod
    def load(self) -> Dataset:
        """The data set, from a local copy if there is one, else from the official place.

        Raises:
            NoDataError: the data can neither be found nor fetched.
            InputError: a file is malformed; file and line are named.
        """


class Fold(IntEnum):
    """Which part of a split an interaction belongs to; UNUSED rows are seen by nobody."""

    UNUSED = -1
    TRAIN = 0
    VALIDATION = 1
    TEST = 2


@dataclass(frozen=True, slots=True, eq=False)
class Folds:
    """A split log.

    Attributes:
        log: the whole log.
        fold: int8 (n,), a `Fold` per interaction. A user's rows are in ascending fold order.
        asked: rows of `log` asked about in each of VALIDATION and TEST, at most one per user, int64 (q,).
    """

    log: InteractionLog
    fold: Int8Array
    asked: dict[Fold, Int64Array]

    def visible(self, fold: Fold) -> BoolArray:
        """Which interactions may be learnt from when `fold` is asked about, bool (n,): those of the folds before it."""
        return (self.fold >= 0) & (self.fold < fold)

    def visible_log(self, fold: Fold) -> InteractionLog:
        """The log of these alone."""
        return self.log.select(self.visible(fold))


class Split(Component):
    """Divides a log into train, validation and test."""

    default_visibility: Visibility

    @abstractmethod
    def split(self, log: InteractionLog) -> Folds:
        """The folds of `log`.

        Raises:
            InputError: a fold would be empty.
        """


class NegativeSampler(Component):
    """Draws the items a positive is ranked against."""

    @abstractmethod
    def draw(
        self, touched: Int32Array, positive: int, popularity: Int64Array, n: int, rng: np.random.Generator
    ) -> Int32Array:
        """`n` distinct items that the user never touched, int32 (n,).

        Args:
            touched: int32, items of the user anywhere in the log, sorted.
            positive: the item asked about (among `touched`).
            popularity: int64 (items,), interactions per item in the visible fold.
            n: how many.
            rng: derived from (seed, user).

        Raises:
            InputError: fewer than `n` items are untouched.
        """


def require_untouched(touched: Int32Array, popularity: Int64Array, n: int) -> None:
    """Stop a sampler that cannot draw `n` distinct items from those outside `touched`.

    Raises:
        InputError: fewer than `n` items are untouched.
    """
    left = len(popularity) - len(touched)
    if left < n:
        raise InputError(f"{len(touched)} of {len(popularity)} items are touched; {n} negatives need {n - left} more")


class SourceRegistry(Registry[Source]):
    """Sources by name; any other folder under `R2REC_DATA` in the parquet form is one under its own name."""

    def get(self, name: str) -> type[Source]:
        if name in _own_folders() and name not in super().names():
            from r2rec_bench.data.sources.folder import named_folder

            return named_folder(name)
        return super().get(name)

    def names(self) -> list[str]:
        return sorted({*super().names(), *_own_folders()})


def _own_folders() -> set[str]:
    from r2rec_bench.data.parquet import parquet_folders

    root = data_root()
    return set(parquet_folders(root)) - BUILT_IN_FOLDERS if root else set()


sources: SourceRegistry = SourceRegistry("sources", "data source", Source, "r2rec_bench.data.sources")
splits: Registry[Split] = Registry("splits", "split", Split, "r2rec_bench.data.splits")
negative_samplers: Registry[NegativeSampler] = Registry(
    "negatives", "negative sampler", NegativeSampler, "r2rec_bench.data.negatives"
)
