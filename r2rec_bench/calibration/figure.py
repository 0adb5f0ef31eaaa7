"""What was found against what was planted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from r2rec_bench.calibration.run import Measured
from r2rec_bench.report.drawing import COLOURS, GREY, save
from r2rec_bench.report.text import one_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MARKS = "osD^v"
_APART = 0.06
"""Between the marks of two ablations, in steps of the axis."""


def draw(planted: tuple[Measured, ...], path: Path) -> None:
    """Differences with intervals, a line for each ablation, and what the best possible ranker gains; as SVG."""
    places = np.arange(len(planted))
    ceilings = np.array([one.ceiling for one in planted])

    def plot(figure: Figure) -> None:
        axis = figure.add_subplot()
        axis.axhline(0, color=GREY, linewidth=1)
        axis.plot(places, ceilings - ceilings[0], color=GREY, linestyle="--", label="gain of the best possible ranker")
        for index, pair in enumerate(planted[0].comparisons.pairs):
            found = [one.comparisons.pairs[index].comparison.difference for one in planted]
            means = np.array([one.mean for one in found])
            reach = [means - [one.low for one in found], [one.high for one in found] - means]
            axis.errorbar(
                places + index * _APART,
                means,
                np.abs(reach),
                color=COLOURS[index % len(COLOURS)],
                marker=_MARKS[index % len(_MARKS)],
                capsize=3,
                label=f"full less {one_line(pair.row.label)}",
            )
        axis.set_xticks(places, [f"{one.world.effect:g}" for one in planted])
        axis.set_xlabel("planted peer effect")
        axis.set_ylabel("difference in HR@1")
        axis.legend()

    save(path, (5.5, 3.4), plot)
