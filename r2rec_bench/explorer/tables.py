"""What the tables and charts of the first page show: every system with its values, comparisons and cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import combinations

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.seeds import generator
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.explorer.scripts import Value, rounded
from r2rec_bench.report.ablations import curves_of
from r2rec_bench.report.captions import about_comparisons, about_means, about_users
from r2rec_bench.report.comparisons import METRIC, Judged, Paired, differences, judged
from r2rec_bench.report.figures import training_curves
from r2rec_bench.report.study import Row, Study
from r2rec_bench.report.synthetic import synthetic_note
from r2rec_bench.report.table import METRICS
from r2rec_bench.report.text import one_line
from r2rec_bench.report.values import (
    LEVEL,
    evaluation_seconds,
    interval_of,
    metrics_of,
    peak_bytes,
    tokens_per_user,
    training_seconds,
)
from r2rec_bench.statistics.bootstrap import Interval, mean_interval


def study_value(store: ArtifactStore, study: Study) -> dict[str, Value]:
    """The study as the page reads it; systems are named by their place in its table."""
    judgement = judged(study)
    place = {row: number for number, row in enumerate(study.rows)}
    known = {metric for row in study.rows for metric in metrics_of(row)}
    reference = study.reference
    return {
        "name": one_line(study.name),
        "question": one_line(study.question),
        "notes": list(filter(None, [synthetic_note(store, study)])),
        "protocol": one_line(study.protocol),
        "captions": {
            "means": f"{about_users(study.rows)} {about_means(study.rows)}",
            "comparisons": about_comparisons(study.rows),
        },
        "metrics": [
            {"key": column.metric, "head": column.head, "higher": column.higher_is_better, "digits": column.digits}
            for column in METRICS
            if column.metric in known
        ],
        "systems": [_system(row, judgement) for row in study.rows],
        "reference": None if reference is None else place[reference],
        "questions": {one_line(name): one_line(asked) for name, asked in study.ablations.items()},
        "failed": {one_line(name): one_line(reason) for name, reason in study.failed.items()},
        "pairs": dict(_pairs(study)),
        "curves": [
            {
                "name": one_line(varied.name),
                "setting": one_line(varied.setting),
                "points": [[value, place[row]] for value, row in points],
            }
            for varied, points in curves_of(study)
        ],
        "training": [] if reference is None else list(_training(store, reference)),
    }


def _system(row: Row, judgement: Judged) -> Value:
    read, written = tokens_per_user(row)
    left_out = {
        one: reason for family in (judgement.systems, judgement.ablations) if family for one, reason in family.left_out
    }
    pair = judgement.pairs.get(row)
    return {
        "label": one_line(row.label),
        "kind": row.result.kind,
        "ablation": row.ablation,
        "run": row.short_id,
        "runs": [result.run_id for result in row.results],
        "seeds": [result.seed for result in row.results],
        "values": {metric: _interval(interval_of(row, metric)) for metric in metrics_of(row)},
        "read": rounded(read),
        "written": rounded(written),
        "training": rounded(training_seconds(row)),
        "evaluation": rounded(evaluation_seconds(row)),
        "peak": peak_bytes(row),
        "stages": [{"stage": one.stage, **asdict(one.cost)} for one in row.result.stages],
        "against": _against(pair) if pair else None,
        "leftOut": one_line(left_out.get(row, "")),
    }


def _interval(found: Interval) -> Value:
    """Mean, both ends, users."""
    return [rounded(found.mean), rounded(found.low), rounded(found.high), found.n]


def _against(pair: Paired) -> Value:
    """The reference less this system."""
    c = pair.comparison
    return {
        "difference": _interval(c.difference),
        "p": c.p_value,
        "holm": pair.adjusted,
        "wins": c.wins,
        "ties": c.ties,
        "losses": c.losses,
        "detectable": rounded(pair.detectable),
        "significant": pair.significant,
    }


def _pairs(study: Study) -> Iterator[tuple[str, Value]]:
    """HR@1 of each system less that of every later one, for any two of them side by side; no p-value is told here."""
    for (i, a), (j, b) in combinations(enumerate(study.rows), 2):
        rng = generator(a.result.seed, "comparison", a.result.run_id, b.result.run_id, METRIC)
        try:
            difference = mean_interval(differences(a, b, METRIC), rng, level=LEVEL)
        except InputError:
            continue  # not asked the same: the page says so
        if difference.n:
            yield f"{i}-{j}", _interval(difference)


def _training(store: ArtifactStore, row: Row) -> Iterator[Value]:
    """What each stage logged, by seed."""
    for stage, curves in training_curves(store, row).items():
        yield {
            "stage": stage,
            "figure": curves[0].figure,
            "curves": [
                {"seed": curve.seed, "steps": list(curve.steps), "values": [rounded(value) for value in curve.values]}
                for curve in curves
            ],
        }
