"""The report of a study: `report.md`, and beside it what other programs and papers take: CSV, LaTeX, figures.

All of it comes from stored results, and every random draw from a run's seed: rendered twice it is the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.report.ablations import CURVES, FOREST, ablation_lines
from r2rec_bench.report.captions import about_comparisons, about_intervals, about_means, about_places, about_users
from r2rec_bench.report.comparisons import Comparisons, Judged, Paired, backbone_of, judged, relative_gain
from r2rec_bench.report.contamination import contamination_lines
from r2rec_bench.report.examples import example_lines, worked_examples
from r2rec_bench.report.exports import latex_tables, to_csv
from r2rec_bench.report.figures import TOKENS, TRAINING, draw
from r2rec_bench.report.groups import group_lines
from r2rec_bench.report.paired import left_out, paired_figures, paired_heads
from r2rec_bench.report.provenance import provenance_lines
from r2rec_bench.report.quality import quality_lines
from r2rec_bench.report.study import Study, lineage, seconds_alone, several_seeds
from r2rec_bench.report.synthetic import synthetic_note
from r2rec_bench.report.table import NONE, main_table, spread
from r2rec_bench.report.text import in_markdown, markdown
from r2rec_bench.statistics.bootstrap import Interval

PUBLISHED_OVER_BASELINE = "+10.48 %"
PUBLISHED_OVER_UNTRAINED = "+131.81 %"
_OPTIONAL = {"ablations.tex", "cost.tex", FOREST, CURVES, TOKENS, TRAINING}
"""Files that not every report has."""


def write(store: ArtifactStore, study: Study, folder: Path) -> Path:
    """The report in `folder`, which is made where it is missing; returns the file to read first.

    Figures are drawn where matplotlib is installed. What an earlier report left there and this one has nothing to say
    of is taken away.
    """
    folder.mkdir(parents=True, exist_ok=True)
    judgement = judged(study)
    files = {"results.csv": to_csv(study), **dict(latex_tables(study, judgement))}
    figures = draw(store, study, judgement, folder)
    files["report.md"] = "\n".join(_lines(store, study, judgement, figures)) + "\n"
    for name in _OPTIONAL - {*files, *figures}:
        (folder / name).unlink(missing_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content, "utf-8")
    return folder / "report.md"


def _lines(store: ArtifactStore, study: Study, judgement: Judged, figures: Sequence[str]) -> Iterator[str]:
    artifacts = lineage(store, (*(run.artifact for run in study.runs), *study.probes))
    yield f"# {markdown(study.name)}"
    yield ""
    yield f"*{markdown(study.question)}*"
    if note := synthetic_note(store, study):
        yield from ("", f"> **{markdown(note)}**")
    yield ""
    yield from _main(study, judgement)
    if judgement.systems is not None:
        yield from ("", "## Paired comparisons", "")
        yield from _comparisons(judgement.systems)
        yield ""
        yield from _gains(study, judgement.systems)
    yield from ablation_lines(study, judgement, figures)
    yield from group_lines(study)
    yield from quality_lines(study)
    if TOKENS in figures:
        yield from ("", f"![HR@1 against tokens read and written for a user]({TOKENS})")
    yield from contamination_lines(study.probes)
    yield from ("", "## Worked examples", "")
    yield from _examples(store, study)
    yield from ("", "## What was run", "")
    yield from provenance_lines(study, artifacts, seconds_alone(store, study.rows))
    if TRAINING in figures:
        yield from ("", f"![Training, by step]({TRAINING})")


def _main(study: Study, judgement: Judged) -> Iterator[str]:
    yield main_table(study, judgement.marked).markdown()
    yield ""
    marks = about_places(study, marked=bool(judgement.pairs))
    yield (
        f"{markdown(study.protocol)} {about_users(study.rows)} {about_means(study.rows)} {markdown(marks)} "
        "Tokens: prompt and completion. Training seconds include making the traces; a baseline is fitted within its "
        "evaluation seconds. Run: the start of the run id, which `r2rec explain` takes; every value with its interval "
        "is in results.csv."
    )


def _comparisons(comparisons: Comparisons) -> Iterator[str]:
    yield f"{markdown(comparisons.reference.label)} ({comparisons.reference.short_id}) against each row, HR@1."
    if comparisons.pairs:
        rows = [comparisons.reference, *(pair.row for pair in comparisons.pairs)]
        several = several_seeds(rows)
        heads = ["Against", "Difference", "95 % interval", *paired_heads(several=several), "Run"]
        body = [_pair(pair, several=several) for pair in comparisons.pairs]
        yield ""
        yield in_markdown(heads, body, "left", *["right"] * (len(heads) - 2), "left")
        yield ""
        yield about_comparisons(rows)
    for sentence in left_out(comparisons):
        yield from ("", sentence)


def _pair(pair: Paired, *, several: bool) -> list[str]:
    difference = pair.comparison.difference
    return [
        markdown(pair.row.label),
        f"{difference.mean:+.3f}",
        spread(difference, sign=True),
        *paired_figures(pair, several=several),
        pair.row.short_id,
    ]


def _gains(study: Study, comparisons: Comparisons) -> Iterator[str]:
    reference, baseline, untrained = comparisons.reference, study.best_baseline, study.untrained
    rows = [
        [
            f"over the best baseline{f' ({markdown(baseline.label)})' if baseline else ''}",
            _percent(relative_gain(reference, baseline)),
            PUBLISHED_OVER_BASELINE,
        ],
        [
            f"over the original LLM{f' ({markdown(untrained.label)})' if untrained else ''}",
            _percent(relative_gain(reference, untrained)),
            PUBLISHED_OVER_UNTRAINED,
        ],
    ]
    heads = ["Relative gain in HR@1", "Measured here", "Published for R2Rec"]
    yield in_markdown(heads, rows, "left", "right", "right")
    yield ""
    yield (
        f"Measured here: HR@1 over the other's, less 1. {about_intervals([reference])} It is the ratio that is "
        "resampled. Published: arXiv 2506.05069, abstract; the mean over MovieLens-1M, Amazon Book and Amazon "
        "Electronics. The absolute values behind it: not published to us. “Original LLM” is the backbone before any "
        "training on the domain."
    )
    if backbone_of(reference) == "nano":
        yield (
            "Here it is `nano`, which has learnt to read chains on synthetic worlds, where a general LLM has learnt "
            "language: the second gain is comparable between general LLMs only, and so not with the published one."
        )


def _percent(gain: Interval) -> str:
    if math.isnan(gain.mean):
        return NONE
    ends = "" if math.isnan(gain.low) else f" [{100 * gain.low:+.1f}, {100 * gain.high:+.1f}]"
    return f"{100 * gain.mean:+.2f} %{ends}"


def _examples(store: ArtifactStore, study: Study) -> Iterator[str]:
    examples = list(worked_examples(store, study))
    if not examples:
        yield "No row of this table is an R2Rec model."
        return
    yield (
        "The evidence in words, then what the model thought of it: a weight from -2 (strongly against) to +2 "
        "(strongly for), and a forecast of the next masked edge, 0 (would not interact) to 5. "
        "The verdict is the likeliest single answer; the ranking goes by the score, which weighs all answers. "
        "`r2rec explain RUN --user U` shows any other user."
    )
    for example in examples:
        yield ""
        yield from example_lines(example)
