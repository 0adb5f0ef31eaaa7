"""Who was asked what: the users of a study, their candidates, and where each system put them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from r2rec_bench.core.store import Artifact, ArtifactStore
from r2rec_bench.core.types import Candidates, FloatArray
from r2rec_bench.data import candidates as candidate_lists
from r2rec_bench.data import store as dataset_store
from r2rec_bench.data.base import Dataset
from r2rec_bench.explain import Answers, stored_answers
from r2rec_bench.explorer.scripts import Value, rounded, write_script
from r2rec_bench.files import CANDIDATES, CASES
from r2rec_bench.report.groups import cold_limit
from r2rec_bench.report.study import Row, Study
from r2rec_bench.report.text import one_line

PER_FILE = 20
"""Users whose cases are one script: small enough to load at a click."""


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """The candidate lists of a study, and the systems that were asked them.

    Attributes:
        dataset: with the titles.
        candidates: the lists.
        rows: systems by their place in the table. Of several seeds the first is meant.
    """

    dataset: Dataset
    candidates: Candidates
    rows: dict[int, Row]

    @property
    def files(self) -> Iterator[range]:
        """The rows of users that each file holds."""
        n = len(self.candidates)
        return (range(start, min(start + PER_FILE, n)) for start in range(0, n, PER_FILE))


def lists_of(store: ArtifactStore, study: Study) -> Lists:
    """The lists that the reference was asked, or without one the first system; who was asked others is left out."""
    of = {place: _asked(store, row) for place, row in enumerate(study.rows)}
    data, lists = _asked(store, study.reference or study.rows[0])
    dataset = dataset_store.read(data.path)
    rows = {place: study.rows[place] for place, (_, its) in of.items() if its.fingerprint == lists.fingerprint}
    return Lists(dataset, candidate_lists.read(lists.path / CANDIDATES, dataset.log), rows)


def write_lists(lists: Lists, folder: Path, progress: Callable[[int, int], None]) -> None:
    """The index of all users, and a file per so many of them with their candidates and everybody's scores.

    Args:
        lists: of the study.
        folder: of the data.
        progress: told how many users are done.
    """
    log, width = lists.dataset.log, lists.candidates.items.shape[1]
    titles = lists.dataset.catalog.titles
    stored = {place: row.artifact.path for place, row in lists.rows.items() if has_cases(row)}
    streams = {place: stored_answers(path, width) for place, path in stored.items()}
    invalid: dict[int, list[int]] = {place: [] for place in streams}
    for number, users in enumerate(lists.files):
        chunk: list[Value] = []
        for user in users:
            items = lists.candidates.items[user].tolist()
            ids = [log.item_ids[item] for item in items]
            answers = {place: next(stream) for place, stream in streams.items()}
            for place, its in answers.items():
                invalid[place].append(int((~its.valid).sum()))
            places = {place: _placed(row, user, ids, answers.get(place)) for place, row in lists.rows.items()}
            chunk.append(
                {
                    "ids": ids,
                    "titles": [one_line(titles[item]) for item in items],
                    "positive": int(lists.candidates.positive[user]),
                    "ranks": {str(place): ranks for place, ranks in places.items()},
                    "scores": {str(place): _shown(its.scores) for place, its in answers.items()},
                }
            )
        write_script(folder, f"lists/{number}", chunk)
        progress(users.stop, len(lists.candidates))
    write_script(folder, "users", _index(lists, invalid))


def has_cases(row: Row) -> bool:
    """Whether a run keeps its score of every candidate; those of older versions keep their first ten alone."""
    return (row.artifact.path / CASES).is_file()


def about_lists(lists: Lists) -> dict[str, Value]:
    """What the page must know of the lists before it opens any."""
    users = next(iter(lists.rows.values())).result.users
    return {
        "users": len(lists.candidates),
        "perFile": PER_FILE,
        "width": int(lists.candidates.items.shape[1]),
        "systems": list(lists.rows),
        "cold": cold_limit(users),
    }


def _index(lists: Lists, invalid: dict[int, list[int]]) -> Value:
    tables = {place: row.result.users for place, row in lists.rows.items()}
    users = next(iter(tables.values()))
    taken = lists.candidates.items[np.arange(len(users)), lists.candidates.positive].tolist()
    return {
        "ids": [one_line(user) for user in users.user_ids],
        "taken": [one_line(lists.dataset.catalog.titles[item]) for item in taken],
        "seen": users.user_seen.tolist(),
        "ranks": {str(place): table.rank.tolist() for place, table in tables.items()},
        "invalid": {str(place): counts for place, counts in invalid.items() if any(counts)},
    }


def _asked(store: ArtifactStore, row: Row) -> tuple[Artifact, Artifact]:
    """The data and the lists of a row's first run."""
    data, lists, *_ = store.inputs(row.artifact)
    return data, lists


def _placed(row: Row, user: int, ids: list[str], answers: Answers | None) -> Value:
    """The rank of every candidate; without stored scores those of the first ten and of the item taken alone."""
    if answers is not None:
        return answers.ranks.tolist()
    table = row.result.users
    known = {item: place for place, item in enumerate(table.top_ids[user], 1)}
    known[table.item_ids[user]] = int(table.rank[user])
    return [known.get(item) for item in ids]


def _shown(scores: FloatArray) -> Value:
    return [rounded(score, 5) for score in scores.tolist()]
