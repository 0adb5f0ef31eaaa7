"""How every figure is drawn: the same bytes each time, readable in print and without telling colours apart."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from r2rec_bench.core.types import FloatArray
from r2rec_bench.report.text import one_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Source: Okabe and Ito, "Color universal design", 2008."""
GREY = "#808080"
_DARK = 0.55
"""Share of the colour scale up to which viridis is dark enough for white text."""


def can_draw() -> bool:
    """Whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


WITHOUT = (
    "Figures are left out: matplotlib is not installed. Install r2rec-bench[report], then `r2rec report` adds them."
)


def save(path: Path, size: tuple[float, float], draw: Callable[[Figure], None]) -> None:
    """A figure as SVG, whatever the user's own settings of matplotlib are.

    Args:
        path: the file.
        size: width and height in inches.
        draw: puts axes into an empty figure.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)  # a box stands for the letter
        mpl.rcdefaults()
        mpl.rc("font", size=9)
        mpl.rc("axes.spines", top=False, right=False)
        mpl.rc("legend", frameon=False)
        mpl.rc("text", parse_math=False)  # names are text, whatever they hold
        mpl.rc("svg", fonttype="path", hashsalt="r2rec")
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def heat_map(
    path: Path,
    rows: Sequence[str],
    columns: Sequence[str],
    values: FloatArray,
    *,
    label: str,
    texts: Sequence[Sequence[str]],
    axes: tuple[str, str] = ("", ""),
) -> None:
    """Cells coloured by their value, each with its text.

    Args:
        path: the SVG file.
        rows: names, (r,).
        columns: names, (c,).
        values: float64 (r, c), NaN where there is none: such a cell is left white.
        label: of the colour scale.
        texts: (r, c), lines of text, such as a value and its interval.
        axes: what rows and columns are.
    """

    known = values[~np.isnan(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    dark = values <= low + _DARK * (high - low)

    def draw(figure: Figure) -> None:
        axis = figure.add_subplot()
        image = axis.imshow(np.ma.masked_invalid(values), cmap="viridis", aspect="auto", vmin=low, vmax=high)
        axis.set_xticks(range(len(columns)), list(map(one_line, columns)), rotation=30, ha="right")
        axis.set_yticks(range(len(rows)), list(map(one_line, rows)))
        axis.set_ylabel(axes[0])
        axis.set_xlabel(axes[1])
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
        for y, line in enumerate(texts):
            for x, text in enumerate(line):
                axis.text(x, y, text, ha="center", va="center", fontsize=8, color="white" if dark[y, x] else "black")
        figure.colorbar(image, ax=axis, label=label)

    save(path, (2.6 + 1.15 * len(columns), 1.6 + 0.45 * len(rows)), draw)
