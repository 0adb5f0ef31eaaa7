"""Data sets in memory, read once each."""

from __future__ import annotations

import json
from typing import cast

from r2rec_bench.core.config import Spec
from r2rec_bench.core.errors import NoDataError
from r2rec_bench.core.watch import Watcher
from r2rec_bench.data.base import Dataset, Source


class Datasets:
    """Data sets read once each, however many experiments of a command use them.

    Args:
        watcher: warned of stand-ins.
    """

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._read: dict[str, Dataset] = {}

    def of(self, wanted: Spec, otherwise: Spec | None = None) -> Dataset:
        """The data set `wanted`; `otherwise`, with a warning, where it can neither be found nor fetched.

        Raises:
            NoDataError: it cannot be had, and has no stand-in.
        """
        sources = [wanted, *([otherwise] if otherwise else [])]
        key = json.dumps([spec.to_dict() for spec in sources])
        if key not in self._read:
            self._read[key] = self._load(*sources)
        return self._read[key]

    def _load(self, wanted: Spec, otherwise: Spec | None = None) -> Dataset:
        try:
            return cast("Source", wanted.build()).load()
        except NoDataError as error:
            if otherwise is None:
                raise
            self._watcher.warn(
                f"NO REAL DATA: {error}\nUsing '{otherwise.use}' instead. Nothing that follows says anything about "
                f"{wanted.use}."
            )
            return cast("Source", otherwise.build()).load()
