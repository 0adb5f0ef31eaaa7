"""The full model and what it loses with each part: a row per ablation, values of one setting in their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from r2rec_bench.report.captions import about_comparisons, about_intervals, about_places, about_users
from r2rec_bench.report.comparisons import Comparisons, Judged, Paired
from r2rec_bench.report.paired import left_out, paired_figures, paired_heads
from r2rec_bench.report.study import Row, Study, several_seeds
from r2rec_bench.report.table import HIT, NONE, Cell, Table, metric_cells, spread
from r2rec_bench.report.text import markdown
from r2rec_bench.report.values import tokens_per_user
from r2rec_bench.report.varied import Varied, shown

FOREST, CURVES = "ablations.svg", "values.svg"


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line of the table.

    Attributes:
        label: as shown.
        row: its system.
        own: whether it is the full model, in its place among the values of a setting.
    """

    label: str
    row: Row
    own: bool = False


def lines_of(study: Study, reference: Row) -> Iterator[Line]:
    """The ablations in their order; the values of a setting together, the full model's own among them."""
    rows = {row.group: row for row in study.rows if row.ablation}
    told: set[str] = set()
    for group, row in rows.items():
        varied = next((one for one in study.varied if group in one.values), None)
        if varied is None:
            yield Line(row.label, row)
        elif varied.name not in told:
            told.add(varied.name)
            for name in varied.groups:
                if not name:
                    yield Line(f"{varied.name} {shown(varied.values[name])} (full model)", reference, own=True)
                elif name in rows:
                    yield Line(rows[name].label, rows[name])


def curves_of(study: Study) -> Iterator[tuple[Varied, Sequence[tuple[float, Row]]]]:
    """Of each setting that was tried at several numbers, these and their rows, the full model's own among them."""
    rows = {row.group: row for row in study.rows if row.ablation}
    if study.reference is not None:
        rows[""] = study.reference
    for varied in study.varied:
        points = [(value, rows[group]) for group, value in (varied.numbers or {}).items() if group in rows]
        if len(points) > 1:
            yield varied, points


def ablation_table(study: Study, comparisons: Comparisons) -> Table:
    """The full model first, then each ablation: HR@1, what the full model has more, and what asking costs."""
    reference = comparisons.reference
    lines = [Line(f"{reference.label} (full model)", reference), *lines_of(study, reference)]
    pairs = {pair.row: pair for pair in comparisons.pairs}
    several = several_seeds([line.row for line in lines])
    heads = ("Difference", *paired_heads(several=several))
    hits = metric_cells(HIT, [line.row for line in lines], [row for row, pair in pairs.items() if pair.significant])
    body = [
        (
            Cell(line.label),
            hit,
            *(_compared(pairs[line.row], several=several) if line.row in pairs else [Cell(NONE)] * len(heads)),
            Cell(_tokens(line.row)),
            Cell(line.row.short_id),
        )
        for line, hit in zip(lines, hits, strict=True)
    ]
    return Table(("Ablation", HIT.head, *heads, "Tokens / user", "Run"), tuple(body))


def about_ablations(study: Study, comparisons: Comparisons) -> str:
    """The caption."""
    rows = [comparisons.reference, *(pair.row for pair in comparisons.pairs)]
    return (
        f"{about_users(rows)} {about_intervals(rows)} Difference: HR@1 of the full model less that of the ablation, "
        f"above 0 where the part helps; win: users whom the full model serves better. {about_comparisons(rows)} "
        f"{about_places(study, marked=bool(comparisons.pairs))} Tokens / user: read + written for all of a user's "
        "candidates."
    )


def ablation_lines(study: Study, judged: Judged, drawn: Sequence[str]) -> Iterator[str]:
    """The section in Markdown; nothing where there is neither an ablation nor anything that failed."""
    if study.ablations or study.failed:
        yield from ("", "## Ablations" if study.ablations else "## Failed", "")
    if study.ablations and judged.ablations is not None and judged.ablations.pairs:
        yield ablation_table(study, judged.ablations).markdown()
        yield ""
        yield markdown(about_ablations(study, judged.ablations))
        yield ""
    for sentence in left_out(judged.ablations) if judged.ablations else ():
        yield from (sentence, "")
    if FOREST in drawn:
        yield from (f"![What the full model has more in HR@1 than each ablation]({FOREST})", "")
    if CURVES in drawn:
        yield from (f"![HR@1 by the value of a setting]({CURVES})", "")
    for name, question in study.ablations.items():
        yield f"- **{markdown(name)}**: {markdown(question)}"
    for name, reason in study.failed.items():
        yield f"- **{markdown(name)} failed**: {markdown(reason)}"


def _compared(pair: Paired, *, several: bool) -> list[Cell]:
    difference = pair.comparison.difference
    return [
        Cell(f"{difference.mean:+.3f}", spread(difference, sign=True)),
        *map(Cell, paired_figures(pair, several=several)),
    ]


def _tokens(row: Row) -> str:
    read, written = tokens_per_user(row)
    return f"{read:,.0f} + {written:,.0f}" if read or written else NONE
