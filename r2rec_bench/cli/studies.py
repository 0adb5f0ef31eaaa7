"""From experiment files, or a run id, to a study, and from a study to its report: what `run` and `report` share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from r2rec_bench.cli.console import safe, shout, stdout
from r2rec_bench.core.loading import Loaded, load
from r2rec_bench.core.paths import cache_root
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.core.watch import Watcher
from r2rec_bench.experiment import Experiment
from r2rec_bench.inputs import Datasets
from r2rec_bench.pipeline import Pipeline
from r2rec_bench.report.markdown import write
from r2rec_bench.report.study import Row, Study, lineage, row_of, synthetic_note
from r2rec_bench.report.table import main_table

_COLUMNS = 80
_SHOWN = ("System", "HR@1", "HR@5", "NDCG@10")
"""With seconds and run ids, what fits into these columns."""


def artifact_store(*, frozen: bool = False) -> ArtifactStore:
    """The artifacts in the cache."""
    return ArtifactStore(cache_root() / "artifacts", frozen=frozen)


def gather(files: Sequence[Path], overrides: Sequence[str], store: ArtifactStore, watcher: Watcher) -> Study:
    """The rows of all `files`, each run once, the first file's first."""
    loaded = [load(path, Experiment, overrides) for path in files]  # wrong settings are found before any work
    rows: dict[str, Row] = {}
    datasets = Datasets(watcher)
    for index, one in enumerate(loaded):
        for outcome in Pipeline(one.value, store, watcher, datasets).run():
            group = one.name if index else ""
            rows.setdefault(outcome.result.run_id, Row(group, outcome.result, outcome.artifact))
    first = loaded[0]
    return Study(
        name="+".join(_name(one, path) for one, path in zip(loaded, files, strict=True)),
        question=first.question or first.value.question,
        rows=tuple(rows.values()),
        ablations={one.name: one.question or one.value.question for one in loaded[1:]},
    )


def of_run(store: ArtifactStore, run: str) -> Study:
    """One stored run as a table of a single row."""
    row = row_of(store.find(run))
    return Study(name=row.result.run_id, question=f"What did {row.label} do?", rows=(row,))


def _name(loaded: Loaded[Experiment], path: Path) -> str:
    """An experiment's own name; an ablation goes by its file, so that its report replaces no other."""
    return path.stem if loaded.extends else loaded.value.name


def write_and_show(store: ArtifactStore, study: Study, out: Path, warnings: Sequence[str]) -> None:
    """Writes the report and prints the heart of its table; `warnings` are said again, so that none scrolls away."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    path = write(store, study, out / study.name)
    table = main_table(study)
    chosen = [index for index, head in enumerate(table.heads) if head in _SHOWN]
    shown = Table(
        title=safe(study.name),
        title_justify="left",
        caption=safe(study.protocol),
        caption_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for head in (*(table.heads[index] for index in chosen), "Seconds", "Run"):
        shown.add_column(head, justify="left" if head == "System" else "right", no_wrap=head != "System")
    for row, cells in zip(study.rows, table.rows, strict=True):
        texts = [safe(cells[index].plain) for index in chosen]
        marked = [
            f"[bold]{text}[/]" if cells[index].place == 1 else text for index, text in zip(chosen, texts, strict=True)
        ]
        shown.add_row(*marked, f"{row.result.cost.seconds:,.1f}", row.short_id)
    console = stdout()
    # Where the terminal is narrower it wraps the lines: better than a table whose numbers are cut off.
    console.width = max(console.width, _COLUMNS)
    console.print(shown)
    console.print(f"Report: {path}", markup=False, soft_wrap=True)
    for warning in filter(None, [*warnings, synthetic_note(lineage(store, (row.artifact for row in study.rows)))]):
        shout(warning)
