"""The statistics by themselves, on hits that were drawn; kept in the store like any run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path

from r2rec_bench.calibration.definition import Simulated
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.core.watch import Watcher
from r2rec_bench.deciding import rooms
from r2rec_bench.files import write_json
from r2rec_bench.statistics.simulation import Calibration, Rate, World, calibrate

_STAGE = "simulation"
_FILE = "rates.json"
_CODE = rooms("core.seeds", "statistics")
_SEED = 0


def simulate(settings: Simulated, store: ArtifactStore, watcher: Watcher) -> Iterator[Calibration]:
    """How often the statistics are right, world by world."""
    for one in settings.worlds:
        world, title = one.world, f"{_STAGE} of {one.users} users, {one.seeds} seeds"
        recipe = {**asdict(world), "repeats": settings.repeats, "seed": _SEED}
        watcher.begin(title)
        made = store.get(_STAGE, recipe, (), _CODE, partial(_make, world, settings.repeats))
        watcher.end(title, made.seconds, cached=made.cached)
        rates = json.loads((made.path / _FILE).read_text("utf-8"))
        yield Calibration(world, **{name: Rate(**rate) for name, rate in rates.items()})


def _make(world: World, repeats: int, out: Path) -> None:
    found = asdict(calibrate(world, repeats=repeats, seed=_SEED))
    write_json(out / _FILE, {name: rate for name, rate in found.items() if name != "world"})
