"""What every data source promises."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from r2rec_bench.core.types import InteractionLog, ItemCatalog
from r2rec_bench.data import store
from r2rec_bench.data.base import Dataset, Source
from r2rec_bench.data.log import LATEST_TIME
from r2rec_bench.testing.comparing import require_array, require_same
from r2rec_bench.testing.contract import require
from r2rec_bench.testing.every import contract

CONTRACT = contract("sources", Source, sourced=False)


@CONTRACT.rule
def loads_the_same_twice(source: Source) -> None:
    """Loading again, also by a new component with the same settings, gives the same interactions, ids and texts."""
    digests = [store.digest(one.load()) for one in (source, source, type(source)(source.config))]
    require(len(set(digests)) == 1, f"digests {digests}", "one digest (r2rec_bench.data.store.digest)")


@CONTRACT.rule
def log_is_sound(source: Source) -> None:
    """The log is sorted by user and time, its pairs are distinct, ratings are 1 to 5 or NaN, times are seconds UTC."""
    require_sound(source.load().log)


@CONTRACT.rule
def texts_are_aligned(source: Source) -> None:
    """Every item has a title on one line, and every data set a name, a licence and an origin."""
    dataset = source.load()
    require_aligned(dataset.log, dataset.catalog)
    for name in ("name", "licence", "origin"):
        require(getattr(dataset, name).strip(), f"{name} {getattr(dataset, name)!r}", "text")
    require(all(count > 0 for count in dataset.drops.values()), dataset.drops, "what was dropped, counted by reason")
    known = np.isnan(dataset.bayes_hr1) or (dataset.synthetic and 0 < dataset.bayes_hr1 <= 1)
    require(known, f"bayes_hr1 {dataset.bayes_hr1}", "NaN, or of generated data a share above 0")


@CONTRACT.rule
def survives_storage(source: Source) -> None:
    """The data set written into the artifact store and read again is the same."""
    dataset = source.load()
    with TemporaryDirectory() as folder:
        store.write(dataset, Path(folder) / "set")
        read = store.read(Path(folder) / "set")
    for name in Dataset.__slots__:
        require_same(getattr(read, name), getattr(dataset, name), f"{name}, written and read", "the same")


def require_sound(log: InteractionLog) -> None:
    """Stop a rule at a log that is not what `InteractionLog` says."""
    n = len(log.time)
    for name, kind in (("user", np.int32), ("item", np.int32), ("rating", np.float32), ("time", np.int64)):
        require_array(getattr(log, name), kind, (n,), f"log.{name}")
    require(n > 0, "no interactions", "at least one")
    for name, index, ids in (("user", log.user, log.user_ids), ("item", log.item, log.item_ids)):
        inside = index.min() >= 0 and index.max() < len(ids)
        require(inside, f"{name} indices {index.min()} to {index.max()}", f"0 to {len(ids) - 1}")
        require(len(set(ids)) == len(ids), f"{len(ids) - len(set(ids))} {name} ids twice", "each id once")
        require(all(one and one.isprintable() for one in ids), f"{name} ids that are empty or unprintable", "text")
    wrong = ~((log.rating >= 1) & (log.rating <= 5) | np.isnan(log.rating))
    require(not wrong.any(), f"rating {log.rating[wrong][:1]}", "1 to 5, or NaN where there is none")
    late = (log.time < 0) | (log.time >= LATEST_TIME)
    require(not late.any(), f"time {log.time[late][:1]}", "seconds since 1970 UTC, before the year 2100")
    require((np.diff(log.user) >= 0).all(), "users in another order", "rows sorted by user")
    back = (np.diff(log.time) < 0) & (np.diff(log.user) == 0)
    require(
        not back.any(), f"a time that goes backwards at row {np.argmax(back) + 1}", "rows of a user in order of time"
    )
    pairs = log.user.astype(np.int64) * log.n_items + log.item
    require(len(np.unique(pairs)) == n, f"{n - len(np.unique(pairs))} repeated pairs", "each (user, item) pair once")


def require_aligned(log: InteractionLog, catalog: ItemCatalog) -> None:
    """Stop a rule at a catalogue that is not that of the log's items."""
    for name in ("titles", "attributes"):
        texts: tuple[str, ...] = getattr(catalog, name)
        require(len(texts) == log.n_items, f"{len(texts)} {name}", f"one per item, {log.n_items}")
        odd = next((text for text in texts if not text.isprintable()), "")
        require(not odd, f"{name} with {odd!r}", "one line of printable text")
    require(all(catalog.titles), "an item without a title", "a title for every item")
