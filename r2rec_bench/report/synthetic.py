"""What is said loudly where data were generated."""

from __future__ import annotations

import json
from collections.abc import Mapping

from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.data.store import META
from r2rec_bench.report.study import Study, lineage

_MARK = "SYNTHETIC DATA"
"""What the protocol of such a row ends with."""


def synthetic_note(store: ArtifactStore, study: Study) -> str:
    """Of a study; empty where all its data are real."""
    behind = lineage(store, (run.artifact for run in study.runs))
    worlds = [json.loads((one.path / META).read_text("utf-8")) for one in behind if one.stage == "data"]
    world, *others = worlds
    if others or not world["synthetic"]:
        return synthetic_cells({row.label: row.protocol for row in study.rows})
    best = world["bayes_hr1"]
    return f"{_MARK}. Everything here was measured in a world {world['origin']}, and says nothing about real users." + (
        "" if best is None else f" The best possible HR@1 there is {best:.3f}, among 19 uniform negatives."
    )


def synthetic_cells(protocols: Mapping[str, str]) -> str:
    """Of rows or cells; empty where all their data are real.

    Args:
        protocols: by title, how each was asked.
    """
    made = [title for title, protocol in protocols.items() if _MARK in protocol]
    which = "Everything here" if len(made) == len(protocols) else ", ".join(made)
    return f"{_MARK}. {which} was measured in generated worlds and says nothing about real users." if made else ""
