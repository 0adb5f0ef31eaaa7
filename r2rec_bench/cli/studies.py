"""From experiment files, or a run id, to a study, and from a study to its report: what `run` and `report` share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from r2rec_bench.cli.console import safe, shout, stdout
from r2rec_bench.core.errors import InputError, R2RecError
from r2rec_bench.core.loading import load, load_all
from r2rec_bench.core.paths import cache_root
from r2rec_bench.core.store import Artifact, ArtifactStore
from r2rec_bench.core.watch import Rows, Watcher
from r2rec_bench.data.datasets import Datasets
from r2rec_bench.evaluation.results import Run
from r2rec_bench.executors.base import Executor, told
from r2rec_bench.executors.experiments import followed, job_of, spread_over, training_of
from r2rec_bench.experiment import Experiment
from r2rec_bench.pipeline import Pipeline
from r2rec_bench.report.drawing import WITHOUT, can_draw
from r2rec_bench.report.markdown import write
from r2rec_bench.report.study import Row, Study, system_of
from r2rec_bench.report.synthetic import synthetic_note
from r2rec_bench.report.table import main_table
from r2rec_bench.report.varied import Varied, varied

_LONGEST_NAME = 255
"""Bytes of a folder's name, on the file systems of Linux."""
_COLUMNS = 80
_SHOWN = ("System", "HR@1", "HR@5", "NDCG@10")
"""With seconds and run ids, what fits into these columns."""


def artifact_store(*, frozen: bool = False) -> ArtifactStore:
    """The artifacts in the cache."""
    return ArtifactStore(cache_root() / "artifacts", frozen=frozen)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to stand in a table.

    Attributes:
        files: an experiment; then ablations of it, or further experiments.
        overrides: `KEY.PATH=VALUE` for each of them.
        seeds: how many, from the experiment's own upwards.
        name: of the study; of its files where empty.
    """

    files: Sequence[Path]
    overrides: Sequence[str] = ()
    seeds: int = 1
    name: str = ""


def gather(wanted: Wanted, store: ArtifactStore, watcher: Watcher, executor: Executor | None = None) -> Study:
    """The rows of all files, each run once, the first file's first; of an ablation its last row alone.

    Args:
        wanted: what to run.
        store: where it is kept.
        watcher: told of each stage; with an executor, of each experiment.
        executor: who runs the experiments, or where there is one alone, the parts of its long stages; without one all
            is done here.

    Raises:
        R2RecError: the first file's experiment failed; what failed of the others is told with the study.
        InputError: the study's name is longer than a folder's may be.
    """
    cells = list(_cells(wanted))  # wrong settings are found before any work
    name = wanted.name or "+".join(dict.fromkeys(cell.file for cell in cells))
    if (length := len(name.encode())) > _LONGEST_NAME:
        raise InputError(
            f"the study's name '{name}' takes {length} bytes, and a folder's takes {_LONGEST_NAME}; give the study "
            "another with --name"
        )
    datasets = Datasets(watcher)
    first = cells[0].experiments[0]
    datasets.of(first.data, first.otherwise)  # data that cannot be had are no ablation's failure
    failed: dict[str, str] = {}
    told_of, spread = watcher, None
    if executor and len(cells) == len(cells[0].experiments) == 1:
        spread = spread_over(executor, watcher)
        _trained(cells[0], Pipeline(cells[0].experiments[0], store, watcher, datasets, spread), executor)
    elif executor:
        failed, told_of = _executed(cells, store, watcher, executor), Rows(watcher)
    rows: list[Row] = []
    probes: dict[str, Artifact] = {}
    for index, cell in enumerate(cells):
        if cell.name in failed:
            continue
        try:
            by_seed: list[list[Run]] = []
            for experiment in cell.experiments:  # one after the other: each holds its questions in memory
                pipeline = Pipeline(experiment, store, told_of, datasets, spread)
                by_seed.append([pipeline.last()] if cell.ablation else list(pipeline.run()))
                if (probe := pipeline.contamination) is not None:
                    probes[probe.fingerprint] = probe
            known = {row.result.run_id for row in rows}
            found = [Row(cell.name, runs, cell.ablation) for runs in zip(*by_seed, strict=True)]
            rows += [row for row in found if row.ablation or row.result.run_id not in known]
        except Exception as error:
            if index == 0:
                raise
            failed[cell.name] = told(error)
            watcher.warn(f"{cell.name} failed: {failed[cell.name]}")
    return Study(
        name=name,
        question=cells[0].question,
        rows=tuple(rows),
        ablations={cell.name: cell.question for cell in cells if cell.ablation},
        varied=tuple({cell.varied.name: cell.varied for cell in cells if cell.varied}.values()),
        failed=failed,
        probes=tuple(probes.values()),
    )


@dataclass(frozen=True, slots=True)
class _Cell:
    """An experiment of a study under all its seeds.

    Attributes:
        file: what the study calls its file; an ablation goes by its file's name, so that its report replaces no other.
        name: of its rows; empty for the first.
        question: what it asks.
        ablation: whether it is one.
        experiments: by seed.
        varied: the setting of which it has one value, with all of them.
    """

    file: str
    name: str
    question: str
    ablation: bool
    experiments: tuple[Experiment, ...]
    varied: Varied | None


def _cells(wanted: Wanted) -> Iterator[_Cell]:
    first = wanted.files[0]
    base = load(first, Experiment, wanted.overrides)
    for index, path in enumerate(wanted.files):
        # The first is the experiment that the others change, whatever they name themselves.
        variants = load_all(path, Experiment, wanted.overrides, instead=first) if index else (base,)
        for one in variants:
            e = one.value
            yield _Cell(
                file=path.stem if one.extends else e.name,
                name=one.name if index else "",
                question=one.question or e.question,
                ablation=bool(index and one.extends),
                experiments=tuple(e.under(seed) for seed in range(e.seed, e.seed + wanted.seeds)),
                varied=varied(base, variants) if index else None,
            )


def _trained(cell: _Cell, alone: Pipeline, executor: Executor) -> None:
    """Has a single experiment trained by a job, which may have the GPU that this process has not."""
    e = alone.experiment
    if e.stages:
        _ = alone.traces  # in parts
        failed = followed(executor, [training_of(f"{cell.file}, training", e, alone.store.root)], alone.watcher)
        if failed:
            raise R2RecError(f"{cell.file}: {failed[0]}")


def _executed(cells: Sequence[_Cell], store: ArtifactStore, watcher: Watcher, executor: Executor) -> dict[str, str]:
    """Has all experiments run; why those cells failed that did, by name."""
    wanted = [(cell, experiment) for cell in cells for experiment in cell.experiments]
    jobs = [
        job_of(f"{cell.name or cell.file}, seed {experiment.seed}", experiment, store.root, last=cell.ablation)
        for cell, experiment in wanted
    ]
    failed: dict[str, str] = {}
    for index, failure in followed(executor, jobs, watcher).items():
        cell, experiment = wanted[index]
        failed[cell.name] = f"seed {experiment.seed}: {failure}"
    if "" in failed:
        raise R2RecError(f"{cells[0].file}, {failed['']}")
    return failed


def of_run(store: ArtifactStore, run: str, name: str = "") -> Study:
    """One stored run as a table of a single row; the study goes by the run's id where no name is given."""
    row = system_of(store, run)
    return Study(name=name or row.result.run_id, question=f"What did {row.label} do?", rows=(row,))


def runs_alone(overrides: Sequence[str] | None, seeds: int) -> None:
    """Refuses what cannot be said of runs that were made.

    Raises:
        InputError: settings or seeds are asked for.
    """
    if overrides or seeds > 1:
        raise InputError("--set and --seeds belong to an experiment's file; run ids say all that by themselves")


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
        taken = sum(result.cost.seconds for result in row.results)
        shown.add_row(*marked, f"{taken:,.1f}", row.short_id)
    console = stdout()
    # Where the terminal is narrower it wraps the lines: better than a table whose numbers are cut off.
    console.width = max(console.width, _COLUMNS)
    console.print(shown)
    console.print(f"Report: {path}", markup=False, soft_wrap=True)
    for warning in filter(None, [*warnings, "" if can_draw() else WITHOUT, synthetic_note(store, study)]):
        shout(warning)
