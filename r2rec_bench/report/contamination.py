"""Whether the backbone has seen the data set before: the probe's figures beside the results they bear on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import partial

import numpy as np

from r2rec_bench.contamination.facts import ENDING, NEIGHBOUR, RECORD, TITLE
from r2rec_bench.contamination.probe import Finding
from r2rec_bench.contamination.results import CHANCE, Probe, read
from r2rec_bench.core.fingerprint import shortened
from r2rec_bench.core.store import Artifact
from r2rec_bench.core.types import FloatArray
from r2rec_bench.files import CONTAMINATION
from r2rec_bench.report.table import Cell, Table, number, spread
from r2rec_bench.report.text import markdown

_ASKED = {
    ENDING: "A title's last word, after the others",
    TITLE: "A title, after the item's id",
    NEIGHBOUR: "The held-out item, after the user's id",
    RECORD: "Its rating and time, after both ids",
}
ABOUT = (
    "A pair is two lines of the data set; what follows their cues is exchanged. Right: pairs that the model finds "
    "likelier as they are. One that has never seen the data set is right half of the time, but for last words, of "
    "which knowledge of the items and of language tells something too. Intervals: percentile bootstrap over pairs; all "
    "of them together hold at 95 %. Bits: by which a character is likelier than exchanged. Written: answers that "
    "greedy generation gives word for word; exchanged: how often it gives the other one's. Left out: pairs that the "
    "model's tokens cannot spell, or its context cannot hold."
)


def contamination_lines(artifacts: Iterable[Artifact]) -> Iterator[str]:
    """The section in Markdown; nothing where no backbone was probed."""
    probed = [artifact for artifact in artifacts if (artifact.path / CONTAMINATION).is_file()]
    if probed:
        yield from ("", "## Contamination", "")
        for artifact in probed:
            probe = read(artifact.path / CONTAMINATION)
            yield from (markdown(probe.verdict), "", contamination_table(probe, artifact).markdown(), "")
        yield ABOUT


def contamination_table(probe: Probe, artifact: Artifact) -> Table:
    """A row per kind of fact."""
    heads = ("Asked for", "Pairs", "Left out", "Right", "Chance", "Bits", "Written", "Exchanged", "Probe")
    return Table(heads, tuple(map(partial(_row, probe, shortened(artifact.fingerprint)), probe.findings)))


def _row(probe: Probe, run: str, finding: Finding) -> tuple[Cell, ...]:
    right = probe.interval(finding)
    return (
        Cell(_ASKED[finding.kind]),
        Cell(f"{right.n:,}"),
        Cell(f"{right.missing:,}"),
        Cell(number(right.mean), spread(right)),
        Cell(number(CHANCE, 1)),
        Cell(_mean(finding.gain)),
        Cell(_mean(finding.written)),
        Cell(_mean(finding.exchanged)),
        Cell(run),
    )


def _mean(values: FloatArray) -> str:
    known = values[~np.isnan(values)]
    return number(round(float(known.mean()), 3) + 0.0 if len(known) else math.nan)  # no minus before a rounded 0
