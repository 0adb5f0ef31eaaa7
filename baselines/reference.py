"""Measures the baselines in the field's protocol and writes `reference.md` beside this file.

Run it with R2REC_DATA set: `OMP_NUM_THREADS=1 python baselines/reference.py`. It takes about five minutes.
"""

from __future__ import annotations

import logging
import os
import platform
import time
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from statistics import fmean
from typing import TypeAlias, TypeVar, cast

import numpy as np
from tabulate import tabulate

from r2rec_bench.core.config import validate
from r2rec_bench.core.registry import Component, Registry
from r2rec_bench.core.types import Candidates, Cost, InteractionLog, Ranking
from r2rec_bench.data.base import Fold, negative_samplers, sources, splits
from r2rec_bench.data.candidates import draw
from r2rec_bench.evaluation.base import Baseline, baselines
from r2rec_bench.evaluation.metrics.base import ranks

logger = logging.getLogger(__name__)
C = TypeVar("C", bound=Component)

SEEDS = (0, 1, 2)
"""Each seeds one draw of candidates and one fit."""

MODELS: tuple[tuple[str, dict[str, float]], ...] = (
    ("popularity", {}),
    ("item_knn", {}),
    ("ease", {"l2": 500}),
    ("ease", {"l2": 100}),
    ("als", {}),
    ("bpr", {}),
)

PUBLISHED: dict[str, dict[str, float]] = {
    "ml-1m": {"popularity": 0.275, "item_knn": 0.329, "ease": 0.479, "als": 0.475, "bpr": 0.380},
    "ml-100k": {"popularity": 0.247, "item_knn": 0.319, "ease": 0.412, "als": 0.410, "bpr": 0.333},
    "amazon-video-games-2018": {"popularity": 0.232, "item_knn": 0.316, "ease": 0.304, "als": 0.287, "bpr": 0.232},
    "amazon-office-2018": {"popularity": 0.180, "item_knn": 0.248, "ease": 0.256, "als": 0.255, "bpr": 0.215},
    "amazon-movies-tv-2018": {"popularity": 0.167, "item_knn": 0.246, "ease": 0.249, "als": 0.237, "bpr": 0.200},
    "amazon-books-msl": {"popularity": 0.217, "item_knn": 0.537, "ease": 0.516, "als": 0.492, "bpr": 0.471},
}
"""HR@1 to agree with, mean of three draws."""

EASE_L2 = {data: 500 if data == "ml-1m" else 100 for data in PUBLISHED}
"""The setting that the published figures are said to be made with."""

HEADERS = ("data", "model", "HR@1", "lowest", "highest", "reference", "difference", "fit s", "score s")
Row: TypeAlias = tuple[str, str, float, float, float, float, float, float, float]

TEXT = """# HR@1 of the classical baselines, measured

Leave-last-out, all users with at least 3 interactions, 1 positive + 19 uniform negatives, ties lose, trained on
train + validation. Mean, lowest and highest of {n_seeds} draws (seeds {seeds}: one draw of candidates and one fit
each); seconds are means, on {cores} shared cores. The reference is the mean of three other draws, with EASE's l2
stated as 500 on ml-1m and 100 elsewhere; a row with the other l2 is marked * and shows what the setting is worth.

Written by `OMP_NUM_THREADS=1 python baselines/reference.py`, with `R2REC_DATA` set, under Python {python}, {versions}.

{table}
"""


def component(family: Registry[C], name: str, settings: Mapping[str, str | float] | None = None) -> C:
    """The component `name` of a family, with `settings`."""
    cls = family.get(name)
    return cls(validate(cls.config_type(), settings or {}, source=name))


def measured(model: Baseline, log: InteractionLog, candidates: Candidates, seed: int) -> tuple[float, float, float]:
    """HR@1, seconds to fit, seconds to score."""
    start = time.perf_counter()
    model.fit(log, seed)
    fitted = time.perf_counter()
    scores = model.score(candidates)
    done = time.perf_counter()
    ranking = Ranking(scores, np.full_like(scores, np.nan), np.ones(scores.shape, dtype=np.bool_), Cost())
    return float((ranks(ranking, candidates) == 1).mean()), fitted - start, done - fitted


def rows_of(data: str) -> Iterator[Row]:
    """The table's rows for one data set."""
    folds = component(splits, "leave_last_out").split(component(sources, "folder", {"name": data}).load().log)
    log = folds.visible_log(Fold.TEST)
    uniform = component(negative_samplers, "uniform")
    lists = {seed: draw(folds, Fold.TEST, uniform, n_negatives=19, n_users=None, seed=seed) for seed in SEEDS}
    for name, settings in MODELS:
        runs = [
            measured(cast("Baseline", component(baselines, name, settings)), log, lists[seed], seed) for seed in SEEDS
        ]
        hits, fit_s, score_s = zip(*runs, strict=True)
        reference = PUBLISHED[data][name]
        label = " ".join([name, *(f"{key}={value:g}" for key, value in settings.items())])
        if name == "ease" and settings["l2"] != EASE_L2[data]:
            label += " *"
        hr1 = fmean(hits)
        yield data, label, hr1, min(hits), max(hits), reference, hr1 - reference, fmean(fit_s), fmean(score_s)
        logger.info("%s %s: %.3f, reference %.3f", data, label, hr1, reference)


def main() -> None:
    """Measure everything and write `reference.md`."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    rows = [row for data in PUBLISHED for row in rows_of(data)]
    digits = ("", "", *[".3f"] * 4, "+.3f", ".1f", ".1f")
    text = TEXT.format(
        n_seeds=len(SEEDS),
        seeds=", ".join(map(str, SEEDS)),
        cores=os.cpu_count(),
        python=platform.python_version(),
        versions=", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "implicit")),
        table=tabulate(rows, HEADERS, tablefmt="github", floatfmt=digits),
    )
    Path(__file__).with_name("reference.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
