"""The site: a page with its scripts, and the data that they load when somebody looks."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.core.watch import Watcher
from r2rec_bench.explorer.heat import HeatMap
from r2rec_bench.explorer.lists import about_lists, has_cases, lists_of, write_lists
from r2rec_bench.explorer.scripts import Value, write_script
from r2rec_bench.explorer.tables import study_value
from r2rec_bench.explorer.told import thinking, write_told
from r2rec_bench.report.study import Study

PAGE = "index.html"
_HERE = Path(__file__).parent
_PARTS = ("assets", "vendor", "data")
_MARK = Path("assets", "explorer.css")
"""Only what holds it was written here and may be replaced."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a site is to show.

    Attributes:
        study: its tables, and the cases of its systems.
        heat_maps: of transfer studies.
        first: candidates of each user whose evidence and thoughts are told, beside the one taken.
    """

    study: Study
    heat_maps: Sequence[HeatMap] = ()
    first: int = 3


def write_site(store: ArtifactStore, wanted: Wanted, folder: Path, watcher: Watcher) -> Path:
    """The site in `folder`, which is made where it is missing; returns the page to open.

    An earlier site there is replaced.

    Raises:
        InputError: the folder holds something else.
    """
    _clear(folder)
    for part in ("assets", "vendor"):
        shutil.copytree(_HERE / part, folder / part, ignore=shutil.ignore_patterns(PAGE, "*.md", "__pycache__"))
    data, study = folder / "data", wanted.study
    lists = lists_of(store, study)
    watcher.begin("candidates of all users")
    write_lists(lists, data, lambda done, n: watcher.progress(done, n, {}))
    watcher.begin("evidence and thoughts")
    best = study.best_baseline if study.best_baseline in lists.rows.values() else None  # else it was asked other lists
    changed = write_told(store, lists, best, wanted.first, data, lambda done, n: watcher.progress(done, n, {}))
    cases: dict[str, Value] = {
        **about_lists(lists),
        "scored": [place for place, row in lists.rows.items() if has_cases(row)],
        "told": list(thinking(lists)),
        "changed": {str(place): reason for place, reason in changed.items()},
        "first": wanted.first,
    }
    transfer = [one.value for one in wanted.heat_maps]
    write_script(data, "study", {**study_value(store, study), "transfer": transfer, "cases": cases})
    # Last: a site with a page is complete.
    shutil.copyfile(_HERE / "assets" / PAGE, folder / PAGE)
    return folder / PAGE


def _clear(folder: Path) -> None:
    """An empty folder, or one that held a site and holds nothing now."""
    folder.mkdir(parents=True, exist_ok=True)
    here = {path.name for path in folder.iterdir()}
    if strange := here if not (folder / _MARK).is_file() else here - {*_PARTS, PAGE}:
        raise InputError(f"{folder} holds something else than an explorer, e.g. {min(strange)}; name another folder")
    (folder / PAGE).unlink(missing_ok=True)
    for part in _PARTS:
        shutil.rmtree(folder / part, ignore_errors=True)
