"""A study's tables for other programs: CSV with every interval in full precision, LaTeX with booktabs."""

from __future__ import annotations

from collections.abc import Iterator

from r2rec_bench.report.ablations import ablation_table, about_ablations
from r2rec_bench.report.captions import about_means, about_places, about_users
from r2rec_bench.report.comparisons import Judged
from r2rec_bench.report.frame import frame
from r2rec_bench.report.latex import latex_table
from r2rec_bench.report.quality import ABOUT_COSTS, cost_table
from r2rec_bench.report.study import Study
from r2rec_bench.report.table import main_table


def to_csv(study: Study) -> str:
    """A line per system, group of users and metric: mean, interval, users, mean cost of a run, ids of its runs."""
    return frame(study).to_csv(index=False, na_rep="nan", lineterminator="\n")


def latex_tables(study: Study, judged: Judged) -> Iterator[tuple[str, str]]:
    """File names and contents: the main table, and those of ablations and of cost where there is something in them."""
    marks = about_places(study, marked=bool(judged.pairs))
    caption = f"{study.question} {study.protocol} {about_users(study.rows)} {about_means(study.rows)} {marks}"
    yield "results.tex", latex_table(main_table(study, judged.marked), caption, f"{study.name}-results")
    ablations = judged.ablations
    if ablations is not None and ablations.pairs:
        caption = f"Ablations. {study.protocol} {about_ablations(study, ablations)}"
        yield "ablations.tex", latex_table(ablation_table(study, ablations), caption, f"{study.name}-ablations")
    if (costs := cost_table(study)) is not None:
        caption = f"Cost of evaluation. {study.protocol} {about_users(study.rows)} {ABOUT_COSTS}"
        yield "cost.tex", latex_table(costs, caption, f"{study.name}-cost")
