"""A source's last step: raw interactions and raw items become a data set."""

from __future__ import annotations

import numpy as np

from r2rec_bench.data.base import Dataset
from r2rec_bench.data.catalog import RawItems, build_catalog
from r2rec_bench.data.log import RawLog, build_log, refuse


def assemble(name: str, raw: RawLog, items: RawItems, *, licence: str, origin: str) -> Dataset:
    """The data set of `raw`, its titles from `items`.

    Raises:
        InputError: a row is malformed, or its item is not among `items`; the file and line are named.
    """
    log, changed = build_log(raw)
    strangers = [item for item in log.item_ids if item not in items.titles]
    if strangers:
        refuse(raw.file, np.isin(raw.item_id.astype(str), strangers), "item", raw.item_id, f"an item of {items.file}")
    catalog, untitled = build_catalog(items, log.item_ids)
    return Dataset(name, log, catalog, synthetic=False, licence=licence, origin=origin, drops={**changed, **untitled})
