"""A study's figures: what each part is worth, accuracy by the value of a setting and against tokens, training."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.files import LOG
from r2rec_bench.report.ablations import CURVES, FOREST, curves_of, lines_of
from r2rec_bench.report.comparisons import ALPHA, METRIC, Judged
from r2rec_bench.report.drawing import COLOURS, GREY, can_draw, save
from r2rec_bench.report.study import Row, Study, lineage
from r2rec_bench.report.text import one_line
from r2rec_bench.report.values import interval_of, tokens_per_user
from r2rec_bench.statistics.bootstrap import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TOKENS, TRAINING = "tokens.svg", "training.svg"
_WIDTH = 7.0
_LINE = 0.24
"""Inches for a line of text."""
_PER_ROW = 3
"""Panels side by side."""


def draw(store: ArtifactStore, study: Study, judged: Judged, folder: Path) -> list[str]:
    """Draws into `folder` what there is to draw; returns the files, none without matplotlib."""
    if not can_draw():
        return []
    drawn = {
        FOREST: _forest(study, judged, folder / FOREST),
        CURVES: _curves(study, folder / CURVES),
        TOKENS: _tokens(study, folder / TOKENS),
        TRAINING: _training(store, study, folder / TRAINING),
    }
    return [name for name, done in drawn.items() if done]


def _forest(study: Study, judged: Judged, path: Path) -> bool:
    reference = study.reference
    if reference is None:
        return False
    pairs = judged.pairs
    lines = [line for line in lines_of(study, reference) if not line.own and line.row in pairs]

    def plot(figure: Figure) -> None:
        axis = figure.add_subplot()
        axis.axvline(0, color=GREY, linewidth=1)
        for y, line in enumerate(lines):
            pair = pairs[line.row]
            _dot(axis, pair.comparison.difference, at=y, filled=pair.significant)
        axis.set_yticks(range(len(lines)), [one_line(line.label) for line in lines])
        axis.invert_yaxis()
        axis.set_xlabel(
            f"HR@1 of the full model less that of the ablation\n95 % interval; filled: p < {ALPHA} after Holm"
        )

    if lines:
        save(path, (_WIDTH, 1 + _LINE * len(lines)), plot)
    return bool(lines)


def _dot(axis: Axes, interval: Interval, *, at: float, filled: bool) -> None:
    """A mean with its interval, lying."""
    axis.hlines(at, interval.low, interval.high, color=COLOURS[0], linewidth=1.5)
    axis.plot(interval.mean, at, "o", color=COLOURS[0], markerfacecolor=COLOURS[0] if filled else "white")


def _curves(study: Study, path: Path) -> bool:
    panels = {f"{varied.name} ({varied.setting})": points for varied, points in curves_of(study)}

    def plot(figure: Figure) -> None:
        for axis, (title, points) in zip(_grid(figure, len(panels)), panels.items(), strict=True):
            values, intervals = [value for value, _ in points], [interval_of(row, METRIC) for _, row in points]
            if values[0] > 0 and values[-1] >= 8 * values[0]:
                axis.set_xscale("log", base=2)
            axis.plot(values, [i.mean for i in intervals], color=COLOURS[0], zorder=1)
            axis.vlines(values, [i.low for i in intervals], [i.high for i in intervals], color=COLOURS[0])
            for (value, row), interval in zip(points, intervals, strict=True):
                own = row is study.reference
                axis.plot(value, interval.mean, "s" if own else "o", color=COLOURS[1] if own else COLOURS[0])
            axis.set_xticks(values, [f"{value:g}" for value in values])
            axis.minorticks_off()
            axis.set_xlabel(one_line(title))
            axis.set_ylabel("HR@1")
        if any(row is study.reference for points in panels.values() for _, row in points):
            figure.supxlabel("Bars: 95 % interval; square: the full model", fontsize=8)

    if panels:
        save(path, _size(len(panels)), plot)
    return bool(panels)


def _tokens(study: Study, path: Path) -> bool:
    found = [(sum(tokens_per_user(row)), interval_of(row, METRIC), row) for row in study.rows]
    points = sorted(((x, i, row) for x, i, row in found if x and i.n), key=lambda point: (point[1].mean, point[0]))

    def plot(figure: Figure) -> None:
        axis = figure.add_subplot()
        step = 1 / len(points)
        for place, (x, interval, row) in enumerate(points):
            colour = GREY if row.ablation else COLOURS[1] if row is study.reference else COLOURS[0]
            axis.vlines(x, interval.low, interval.high, color=colour, linewidth=1, alpha=0.4)
            axis.plot(x, interval.mean, "o", color=colour, markersize=5)
            # Names stand in a column beside the plot, in the order of their points, so that none hides another.
            axis.annotate(
                one_line(row.label),
                (x, interval.mean),
                xytext=(1.06, (place + 0.5) * step),
                textcoords="axes fraction",
                va="center",
                fontsize=8,
                color=colour,
                arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.4, "relpos": (0, 0.5)},
                annotation_clip=False,
            )
        axis.set_xlabel("Tokens read and written for a user")
        axis.set_ylabel("HR@1, 95 % interval")

    if len(points) > 1:
        save(path, (_WIDTH, max(3.2, 1 + 0.8 * _LINE * len(points))), plot)
    return len(points) > 1


@dataclass(frozen=True, slots=True)
class Curve:
    """What a stage logged under one seed: `figure` by step."""

    seed: int
    figure: str
    steps: tuple[float, ...]
    values: tuple[float, ...]


def _training(store: ArtifactStore, study: Study, path: Path) -> bool:
    panels = training_curves(store, study.reference) if study.reference is not None else {}

    def plot(figure: Figure) -> None:
        for axis, (stage, curves) in zip(_grid(figure, len(panels)), panels.items(), strict=True):
            for number, curve in enumerate(curves):
                colour = COLOURS[number % len(COLOURS)]
                axis.plot(curve.steps, curve.values, color=colour, linewidth=1, label=f"seed {curve.seed}")
            axis.set_xlabel(f"{stage}: step")
            axis.set_ylabel(curves[0].figure)
            if len(curves) > 1:
                axis.legend(fontsize=8)

    if panels:
        save(path, _size(len(panels)), plot)
    return bool(panels)


def training_curves(store: ArtifactStore, row: Row) -> Mapping[str, Sequence[Curve]]:
    """Curves of each seed by stage, in the order of training: the reward where there is one, else the loss."""
    panels: dict[str, list[Curve]] = {}
    for run in row.runs:
        stages = [artifact for artifact in lineage(store, [run.artifact]) if (artifact.path / LOG).is_file()]
        for place, artifact in enumerate(stages, 1):
            log = json.loads((artifact.path / LOG).read_text("utf-8"))["log"]
            figure = "reward" if any("reward" in step for step in log) else "loss"
            known = [(step["step"], step[figure]) for step in log if "step" in step and figure in step]
            if known:
                steps, values = zip(*known, strict=True)
                panels.setdefault(f"{place}. {artifact.stage}", []).append(
                    Curve(run.result.seed, figure, steps, values)
                )
    return panels


def _size(panels: int) -> tuple[float, float]:
    lines = -(-panels // _PER_ROW)
    return _WIDTH * min(panels, _PER_ROW) / _PER_ROW + 0.6, 2.4 * lines + 0.3


def _grid(figure: Figure, panels: int) -> list[Axes]:
    lines, width = -(-panels // _PER_ROW), min(panels, _PER_ROW)
    return [figure.add_subplot(lines, width, place) for place in range(1, panels + 1)]
