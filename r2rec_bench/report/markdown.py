"""The report of a study: `report.md`, with `results.csv` and `results.tex` beside it.

All of it comes from stored results, and every random draw from a run's seed: rendered twice it is the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from tabulate import tabulate

from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.report.comparisons import Comparisons, Paired, backbone_of, compared, relative_gain
from r2rec_bench.report.contamination import contamination_lines
from r2rec_bench.report.examples import example_lines, worked_examples
from r2rec_bench.report.exports import to_csv, to_latex
from r2rec_bench.report.groups import group_lines
from r2rec_bench.report.provenance import provenance_lines
from r2rec_bench.report.quality import quality_lines
from r2rec_bench.report.study import Study, lineage, synthetic_note
from r2rec_bench.report.table import NONE, main_table, number, spread
from r2rec_bench.report.text import markdown
from r2rec_bench.statistics.bootstrap import RESAMPLES

PUBLISHED_OVER_BASELINE = 0.1048
PUBLISHED_OVER_UNTRAINED = 1.3181


def write(store: ArtifactStore, study: Study, folder: Path) -> Path:
    """The report in `folder`, which is made where it is missing; returns the file to read first."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "report.md"
    path.write_text("\n".join(_lines(store, study)) + "\n", "utf-8")
    (folder / "results.csv").write_text(to_csv(study), "utf-8")
    (folder / "results.tex").write_text(to_latex(study), "utf-8")
    return path


def _lines(store: ArtifactStore, study: Study) -> Iterator[str]:
    artifacts = lineage(store, (*(run.artifact for run in study.runs), *study.probes))
    yield f"# {markdown(study.name)}"
    yield ""
    yield f"*{markdown(study.question)}*"
    for note in synthetic_note(artifacts).splitlines():
        yield from ("", f"> **{markdown(note)}**")
    yield ""
    yield from _main(study)
    comparisons = compared(study, [row for row in study.rows if not row.ablation])
    if comparisons is not None:
        yield from ("", "## Paired comparisons", "")
        yield from _comparisons(comparisons)
        yield ""
        yield from _gains(study, comparisons)
    yield from _ablations(study)
    yield from group_lines(study)
    yield from quality_lines(study)
    yield from contamination_lines(study.probes)
    yield from ("", "## Worked examples", "")
    yield from _examples(store, study)
    yield from ("", "## What was run", "")
    yield from provenance_lines(study, artifacts)


def _main(study: Study) -> Iterator[str]:
    yield main_table(study).markdown()
    yield ""
    users = " / ".join(dict.fromkeys(f"{len(row.result.users):,}" for row in study.rows))
    yield (
        f"{markdown(study.protocol)} n = {users} users. In brackets: 95 % interval, percentile bootstrap over users, "
        f"{RESAMPLES:,} resamples. Bold: best; underlined: second. Tokens: prompt and completion. Training seconds "
        "include making the traces; a baseline is fitted within its evaluation seconds. Run: the start of the run id, "
        "which `r2rec explain` takes; every value with its interval is in results.csv."
    )


def _ablations(study: Study) -> Iterator[str]:
    ablated = compared(study, [row for row in study.rows if row.ablation])
    if study.ablations:
        yield from ("", "## Ablations", "")
    if ablated is not None and study.ablations:
        yield from _comparisons(ablated)
        yield ""
    for name, question in study.ablations.items():
        yield f"- **{markdown(name)}**: {markdown(question)}"
    for name, reason in study.failed.items():
        yield f"- **{markdown(name)} failed**: {markdown(reason)}"


def _comparisons(comparisons: Comparisons) -> Iterator[str]:
    yield f"{markdown(comparisons.reference.label)} ({comparisons.reference.short_id}) against each row, HR@1."
    if comparisons.pairs:
        heads = ["Against", "Difference", "95 % interval", "p", "p, Holm", "Win / tie / loss", "Detectable", "Run"]
        alignment = ("left", *["right"] * 6, "left")
        rows = [_pair(pair) for pair in comparisons.pairs]
        yield ""
        yield tabulate(rows, heads, tablefmt="pipe", disable_numparse=True, colalign=alignment)
        yield ""
        yield (
            "Paired by user. Interval: percentile bootstrap of the mean difference; p: two-sided sign-flip permutation "
            "test, never 0; Holm: corrected for all comparisons of this table. Detectable: the true difference that an "
            "uncorrected test at 5 % finds with probability 0.8."
        )
    for row, reason in comparisons.left_out:
        yield ""
        yield f"Not compared with {markdown(row.label)} ({row.short_id}): {markdown(reason)}."


def _pair(pair: Paired) -> list[str]:
    c = pair.comparison
    return [
        markdown(pair.row.label),
        f"{c.difference.mean:+.3f}",
        spread(c.difference, sign=True),
        f"{c.p_value:.4f}",
        f"{pair.adjusted:.4f}",
        f"{c.wins} / {c.ties} / {c.losses}",
        number(pair.detectable),
        pair.row.short_id,
    ]


def _gains(study: Study, comparisons: Comparisons) -> Iterator[str]:
    reference, baseline, untrained = comparisons.reference, study.best_baseline, study.untrained
    rows = [
        [
            f"over the best baseline{f' ({markdown(baseline.label)})' if baseline else ''}",
            _percent(relative_gain(reference, baseline)),
            _percent(PUBLISHED_OVER_BASELINE),
        ],
        [
            f"over the original LLM{f' ({markdown(untrained.label)})' if untrained else ''}",
            _percent(relative_gain(reference, untrained)),
            _percent(PUBLISHED_OVER_UNTRAINED),
        ],
    ]
    heads = ["Relative gain in HR@1", "Measured here", "Published for R2Rec"]
    yield tabulate(rows, heads, tablefmt="pipe", disable_numparse=True, colalign=("left", "right", "right"))
    yield ""
    yield (
        "Published: arXiv 2506.05069, abstract; the mean over MovieLens-1M, Amazon Book and Amazon Electronics. "
        "The absolute values behind it: not published to us. “Original LLM” is the backbone before any training on "
        "the domain."
    )
    if backbone_of(reference) == "nano":
        yield (
            "Here it is `nano`, which has learnt to read chains on synthetic worlds, where a general LLM has learnt "
            "language: the second gain is comparable between general LLMs only, and so not with the published one."
        )


def _percent(value: float) -> str:
    return NONE if math.isnan(value) else f"{100 * value:+.2f} %"


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
