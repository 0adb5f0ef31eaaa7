"""The report of a transfer study: `report.md` to read, `results.csv` and `results.tex` for programs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from r2rec_bench.core.describe import in_yaml
from r2rec_bench.core.fingerprint import shortened
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.report.captions import about_intervals, about_users
from r2rec_bench.report.comparisons import ALPHA
from r2rec_bench.report.drawing import can_draw, heat_map
from r2rec_bench.report.latex import latex_table
from r2rec_bench.report.provenance import provenance_lines
from r2rec_bench.report.study import Row, Study, lineage, seconds_alone
from r2rec_bench.report.synthetic import synthetic_cells
from r2rec_bench.report.table import DAGGER, Cell, Table, number, seconds
from r2rec_bench.report.text import in_markdown, markdown
from r2rec_bench.report.tried import FAILED, HEAT_MAP, Tried, failed, reasons_in_words
from r2rec_bench.transfer.cells import Cell as Asked
from r2rec_bench.transfer.cells import Way, rows
from r2rec_bench.transfer.definition import Planned
from r2rec_bench.transfer.records import Record, to_csv

NOT_ESTABLISHED = "not established"
_CORNER = "Trained on"


@dataclass(frozen=True, slots=True)
class Grid:
    """A table with a column per target.

    Attributes:
        heads: of the columns, the first one that of the rows' names.
        names: of the rows.
        texts: (rows, targets), as shown; empty where there is no such cell.
        records: (rows, targets), the cells themselves; none where there is no such cell.
    """

    heads: tuple[str, ...]
    names: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]
    records: tuple[tuple[Record | None, ...], ...]

    @property
    def own(self) -> tuple[tuple[bool, ...], ...]:
        """(rows, targets), whether the model was trained on all of the target."""
        return tuple(tuple(one is not None and one.way == Way.IN_DOMAIN for one in line) for line in self.records)


def write(
    store: ArtifactStore, planned: Planned, done: Sequence[Tried[Asked]], told: Sequence[Record], folder: Path
) -> Path:
    """The report in `folder`, which is made where it is missing; returns the file to read first.

    Args:
        store: where the runs are.
        planned: the study.
        done: its cells.
        told: the same as plain values.
        folder: of the report.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "report.md"
    if can_draw():
        _map(planned, told, folder / HEAT_MAP)
    else:
        (folder / HEAT_MAP).unlink(missing_ok=True)
    path.write_text("\n".join(_lines(store, planned, done, told)) + "\n", "utf-8")
    (folder / "results.csv").write_text(to_csv(told), "utf-8")
    (folder / "results.tex").write_text(to_latex(planned, done, told), "utf-8")
    return path


def hit_grid(planned: Planned, told: Sequence[Record], *, intervals: bool = True) -> Grid:
    """HR@1 of every cell; of one without a result, `failed` with the number of its reason, from 1."""
    failures = [one for one in told if one.failure]

    def text(one: Record) -> str:
        if one.failure:
            return failed(failures.index(one) + 1)
        return _with_interval(one.hr, one.low, one.high, "{:.3f}") if intervals else number(one.hr)

    return _grid(planned, told, text)


def gain_grid(planned: Planned, told: Sequence[Record]) -> Grid:
    """What each trained model has over the untrained one, marked where that is more than chance."""

    def text(one: Record) -> str:
        mark = DAGGER if one.adjusted < ALPHA else ""  # of NaN too it is false
        return _with_interval(one.gain, one.gain_low, one.gain_high, f"{{:+.3f}}{mark}", "{:+.3f}")

    return _grid(planned, told, text)


def share_grid(planned: Planned, told: Sequence[Record]) -> Grid:
    """The share of the in-domain gain that each carried model has, in per cent."""

    def text(one: Record) -> str:
        if one.way == Way.IN_DOMAIN or math.isnan(one.gain):
            return ""
        if not one.established:
            return NOT_ESTABLISHED
        return _with_interval(100 * one.share, 100 * one.share_low, 100 * one.share_high, "{:.0f}") + " %"

    return _grid(planned, told, text)


def notes(planned: Planned) -> list[str]:
    """What must be known of domains wherever their figures are shown."""
    domains = planned.transfer.domains.items()
    return [f"{name}: {domain.note.rstrip('.')}." for name, domain in domains if domain.note]


def synthetic_note(done: Sequence[Tried[Asked]]) -> str:
    """What to say loudly of domains whose data were generated; empty when all of them are real."""
    return synthetic_cells({one.cell.target: one.row.protocol for one in done if one.row})


def _map(planned: Planned, told: Sequence[Record], path: Path) -> None:
    """HR@1 of every cell, coloured."""
    grid = hit_grid(planned, told)
    values = np.array([[math.nan if one is None else one.hr for one in line] for line in grid.records])
    heat_map(
        path,
        grid.names,
        planned.domains,
        values.reshape(len(grid.names), len(planned.domains)),
        label="HR@1, with its 95 % interval",
        texts=[[text.replace(" ", "\n", 1) for text in texts] for texts in grid.texts],
        axes=(_CORNER.lower(), "asked about"),
    )


def to_latex(planned: Planned, done: Sequence[Tried[Asked]], told: Sequence[Record]) -> str:
    """HR@1 with intervals as a table, complete with its caption."""
    grid = hit_grid(planned, told)
    body = [
        (Cell(name), *(_cell(text, own=own) for text, own in zip(texts, owned, strict=True)))
        for name, texts, owned in zip(grid.names, grid.texts, grid.own, strict=True)
    ]
    asked = (f"{name}: {text}" for name in planned.domains if (text := _asked(done, name)))
    hits = f"HR@1. {about_intervals(_rows(done))} Bold: trained on the target itself."
    caption = " ".join([planned.transfer.question, hits, *notes(planned), *asked])
    return latex_table(Table(grid.heads, tuple(body)), caption, planned.transfer.name, runs=False)


def _cell(text: str, *, own: bool) -> Cell:
    value, _, interval = text.partition(" ")
    return Cell(value, interval, place=int(own))


def _grid(planned: Planned, told: Sequence[Record], text: Callable[[Record], str]) -> Grid:
    by_place = {(one.row, one.target): one for one in told}
    names: list[str] = []
    texts: list[tuple[str, ...]] = []
    found: list[tuple[Record | None, ...]] = []
    for name in rows(planned):
        there = tuple(by_place.get((name, target)) for target in planned.domains)
        shown = tuple(text(one) if one else "" for one in there)
        if any(shown):
            names.append(name)
            texts.append(shown)
            found.append(there)
    return Grid((_CORNER, *planned.domains), tuple(names), tuple(texts), tuple(found))


def _with_interval(value: float, low: float, high: float, form: str, ends: str = "") -> str:
    """A value as `form` gives it, and its interval as `ends` or else `form` does."""
    if math.isnan(value):
        return ""
    ends = ends or form
    return form.format(value) + ("" if math.isnan(low) else f" [{ends.format(low)}, {ends.format(high)}]")


def _bold(text: str) -> str:
    """The value in bold, and not its interval."""
    value, space, interval = text.partition(" ")
    return f"**{value}**{space}{interval}" if value else ""


def _lines(
    store: ArtifactStore, planned: Planned, done: Sequence[Tried[Asked]], told: Sequence[Record]
) -> Iterator[str]:
    intervals = about_intervals(_rows(done))
    yield f"# {markdown(planned.transfer.name)}"
    yield ""
    yield f"*{markdown(planned.transfer.question)}*"
    if note := synthetic_note(done):
        yield from ("", f"> **{markdown(note)}**")
    yield from ("", "## Trained on the row, asked about the column", "")
    yield from _shown(planned, hit_grid(planned, told))
    yield (
        f"HR@1. {intervals} Bold: trained on the target itself, as `r2rec run` does. All cells of a column are asked "
        "the same frozen lists, with evidence from the column's own visible graph: what people did there is data, "
        "which every model may be shown. What zero-shot says is that no model was trained on any of its answers."
    )
    if can_draw():
        yield from ("", f"![HR@1 of every cell]({HEAT_MAP})")
    yield ""
    yield from _domains(planned, done)
    yield from reasons_in_words(done)
    yield from ("", "## Gain over the untrained model", "")
    yield from _shown(planned, gain_grid(planned, told))
    trained = sum(not math.isnan(one.gain) for one in told)
    yield (
        f"HR@1 less that of the row without training, same users, same lists. {intervals} {DAGGER}: p < {ALPHA}, "
        f"two-sided sign-flip permutation test, after Holm over all {trained} trained models."
    )
    yield from ("", "## Share of the in-domain gain that survives", "")
    yield from _shown(planned, share_grid(planned, told))
    yield (
        f"(carried − untrained) / (in-domain − untrained), in per cent. {intervals} It is the ratio that is resampled. "
        "100 is what training on the target itself gains; more and less than nothing are possible. A ratio means "
        f"something only over a denominator that is surely above 0. “{NOT_ESTABLISHED.capitalize()}”: in-domain gain "
        "not established, its interval reaches 0. Elsewhere the few resamples without an in-domain gain count as "
        "beyond both ends."
    )
    if planned.experiment.backbone.use == "nano":
        yield ""
        yield (
            "The untrained model is `nano`, which has learnt to read chains on synthetic worlds, where a general LLM "
            "has learnt language: gains over it, and shares of them, are comparable between general LLMs only."
        )
    yield from _how(planned)
    yield from ("", "## Cells", "")
    yield from _cells(told)
    yield from _provenance(store, planned, done)


def _rows(done: Sequence[Tried[Asked]], target: str | None = None) -> list[Row]:
    """The rows that have a result, of all targets or of one."""
    return [one.row for one in done if one.row is not None and target in {None, one.cell.target}]


def _shown(planned: Planned, grid: Grid) -> Iterator[str]:
    """A table, and the notes that go with its columns."""
    body = [
        [
            markdown(name),
            *(_bold(text) if bold else text for text, bold in zip(texts, own, strict=True)),
        ]
        for name, texts, own in zip(grid.names, grid.texts, grid.own, strict=True)
    ]
    yield in_markdown(grid.heads, body, "left", *["right"] * (len(grid.heads) - 1))
    yield ""
    if said := notes(planned):
        yield from (markdown(" ".join(said)), "")


def _how(planned: Planned) -> Iterator[str]:
    e, few, seeds = planned.experiment, planned.transfer.few_shot, planned.transfer.seeds
    trained = f"{' + '.join(stage.use for stage in e.stages)} on {e.queries.n:,} questions"
    yield from ("", "## How the models were trained", "")
    yield f"- A domain: {trained} of it. Settings, wording and the answers allowed are the same in all domains."
    if planned.transfer.multi_source and len(planned.domains) > 2:
        yield (
            "- All others: the same on the traces of the other domains in equal parts, shuffled, in all as many as "
            "one domain has."
        )
    if few is not None:
        yield (
            "- Users of the target: drawn by the seed among those without a list, more of them including fewer; then "
            f"{few.stage.use} on {few.questions} questions each, from the last checkpoint of the source, or from the "
            f"untrained model. {markdown(in_yaml(few.stage.to_dict()))}"
        )
    if seeds > 1:
        yield f"- All of that under {seeds} seeds, from {e.seed} upwards, asked the same lists."
    if e.baselines:
        yield "- For contrast: recommenders without a language model, fitted on the target."


def _domains(planned: Planned, done: Sequence[Tried[Asked]]) -> Iterator[str]:
    """What each column is: its data, and the protocol under which it was asked."""
    for name, domain in planned.transfer.domains.items():
        told = [f"{domain.note.rstrip('.')}." if domain.note else "", _asked(done, name)]
        yield " ".join(
            [f"- {markdown(name)}: {markdown(in_yaml(domain.data.to_dict()))}.", *map(markdown, filter(None, told))]
        )


def _asked(done: Sequence[Tried[Asked]], target: str) -> str:
    """Under which protocol a target was asked about, and how many users; empty where it never was."""
    found = _rows(done, target)
    return f"{' / '.join(dict.fromkeys(row.protocol for row in found))} {about_users(found)}" if found else ""


def _cells(told: Sequence[Record]) -> Iterator[str]:
    body = [
        [
            markdown(one.row),
            markdown(one.target),
            one.way,
            _with_interval(one.hr, one.low, one.high, "{:.3f}") or FAILED,
            *("" if math.isnan(p) else f"{p:.4f}" for p in (one.p_value, one.adjusted)),
            f"{one.n:,}",
            f"{one.prompt_tokens + one.completion_tokens:,}",
            seconds(one.seconds),
            shortened(one.run_id) + (f" ×{one.seeds}" if one.seeds > 1 else ""),
        ]
        for one in told
    ]
    heads = [_CORNER, "Asked about", "", "HR@1", "Gain: p", "p, Holm", "n", "Tokens", "Seconds", "Run"]
    yield in_markdown(heads, body, "left", "left", "left", *["right"] * 6, "left")
    yield ""
    yield (
        "Gain: over the untrained model, p as above. Tokens: prompt and completion. Seconds: all stages, each as long "
        "as it took when it was made; what cells share is counted in each. Run: the start of the run id, of the first "
        "seed, which `r2rec explain` and `r2rec report` take. results.csv has every value in full precision."
    )


def _provenance(store: ArtifactStore, planned: Planned, done: Sequence[Tried[Asked]]) -> Iterator[str]:
    titled = tuple(replace(one.row, group=one.cell.title) for one in done if one.row is not None)
    if titled:
        yield from ("", "## What was run", "")
        study = Study(planned.transfer.name, planned.transfer.question, titled)
        artifacts = lineage(store, (run.artifact for row in titled for run in row.runs))
        yield from provenance_lines(study, artifacts, seconds_alone(store, titled))
