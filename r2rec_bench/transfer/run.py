"""Running the cells: each an ordinary run against the ordinary store, so that nothing is trained or asked twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from r2rec_bench.core.config import Spec
from r2rec_bench.core.errors import InputError, NoDataError
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.core.types import NONE_RATING
from r2rec_bench.core.watch import Watcher
from r2rec_bench.data.datasets import Datasets
from r2rec_bench.evaluation.base import Ranker
from r2rec_bench.evaluation.results import R2REC, UNTRAINED, Run
from r2rec_bench.executors.base import told
from r2rec_bench.pipeline import Pipeline
from r2rec_bench.report.study import Row
from r2rec_bench.report.tried import Tried
from r2rec_bench.transfer.cells import Cell, Way, cells
from r2rec_bench.transfer.definition import Planned
from r2rec_bench.transfer.learning import Learner, few_shot_traces, mixed_traces, shot_users


def run(
    planned: Planned, store: ArtifactStore, watcher: Watcher, begun: Callable[[Cell, int], None]
) -> tuple[Tried[Cell], ...]:
    """Every cell's results, or what kept it from having one: a failure is told, and the next cell goes on.

    Args:
        planned: the study.
        store: where artifacts are kept.
        watcher: told of every stage.
        begun: told of every cell and seed before it is run.

    Raises:
        NoDataError: the data of a domain cannot be had; nothing has been done then.
        InputError: a target has too few users to learn from; only lists have been drawn then.
    """
    datasets = Datasets(watcher)
    Runner(planned, store, watcher, datasets).check()
    runs: dict[Cell, list[Run]] = {cell: [] for cell in cells(planned)}
    failures: dict[Cell, str] = {}
    for one in planned.under_seeds:  # a seed after the other: what is held in memory is of one
        runner = Runner(one, store, watcher, datasets)
        for cell, made in runs.items():
            if cell in failures:
                continue
            begun(cell, one.experiment.seed)
            try:
                made.append(runner.measured(cell))
            except Exception as error:  # whatever a component raises concerns its own cells alone
                failures[cell] = told(error)
    return tuple(
        Tried(cell, None, failures[cell]) if cell in failures else Tried(cell, Row("", tuple(made)))
        for cell, made in runs.items()
    )


class Runner:
    """The pipelines of all domains, and what each cell is made of.

    Args:
        planned: the study.
        store: where artifacts are kept.
        watcher: told of every stage.
        datasets: read once for all seeds.
    """

    def __init__(self, planned: Planned, store: ArtifactStore, watcher: Watcher, datasets: Datasets) -> None:
        self._planned = planned
        self._datasets = datasets
        self._pipelines = {
            name: Pipeline(experiment, store, watcher, self._datasets)
            for name, experiment in planned.experiments.items()
        }
        self._asked = ""
        """The target whose questions are held in memory."""

    def check(self) -> None:
        """Whether all data can be had, and enough users, before anything is trained.

        Raises:
            NoDataError: of one or more domains they cannot.
            InputError: a domain has no ratings where nothing but ratings is asked, or too few users to learn from.
        """
        missing: list[str] = []
        for name, pipeline in self._pipelines.items():
            try:
                _ = pipeline.dataset
            except NoDataError as error:
                missing.append(f"domain '{name}': {error}")
        if missing:
            raise NoDataError("\n".join(missing))
        self._check_answers()
        few = self._planned.transfer.few_shot
        if few is None:
            return
        for name, pipeline in self._pipelines.items():
            log = pipeline.asking.visible_log(pipeline.dataset)
            try:
                shot_users(log, pipeline.candidate_lists, max(few.users), pipeline.experiment.seed)
            except InputError as error:
                raise InputError(f"domain '{name}': {error}") from None

    def _check_answers(self) -> None:
        """Whether every domain has the answers that all of them are asked for.

        An interaction has one everywhere as long as "would not interact" is an answer too: its rating, or what stands
        for a touch without one.
        """
        e = self._planned.experiment
        unrated = [name for name, pipeline in self._pipelines.items() if not pipeline.dataset.log.has_ratings]
        if unrated and NONE_RATING not in cast("Ranker", e.ranker.build()).outcomes:
            raise InputError(
                f"domain '{unrated[0]}' has no ratings, but the ranker '{e.ranker.use}' asks for nothing else. Set the "
                "ranker to rating_interaction and queries.touched below 1 (0.35 is usual)"
            )

    def measured(self, cell: Cell) -> Run:
        """The cell's run, made or found."""
        target = self._target(cell.target)
        e = target.experiment
        if cell.baseline is not None:
            return target.contender(e.baselines[cell.baseline])
        if cell.way is Way.UNTRAINED:
            return target.evaluation((), f"{e.backbone.use}, untrained", UNTRAINED)
        if cell.way is Way.IN_DOMAIN:
            return target.last()
        stages, learner = self._learner(cell)
        return target.evaluation(stages, self._name(cell), R2REC, learner)

    def _target(self, name: str) -> Pipeline:
        """The pipeline whose lists are asked; the questions about another's are let go of, for memory."""
        if self._asked not in {"", name}:
            old = self._pipelines[self._asked]
            self._pipelines[self._asked] = Pipeline(old.experiment, old.store, old.watcher, self._datasets)
        self._asked = name
        return self._pipelines[name]

    def _learner(self, cell: Cell) -> tuple[tuple[Spec, ...], Learner]:
        """The stages that a carried model went through, and who trains it."""
        few, target = self._planned.transfer.few_shot, self._pipelines[cell.target]
        stages = target.experiment.stages if cell.sources else ()
        sources = [self._pipelines[name] for name in cell.sources]
        own = sources[0].traces if len(sources) == 1 else None
        if len(sources) > 1:
            own = mixed_traces(sources, target.experiment.seed)
        taught = [own] * len(stages) if own else []
        if few and cell.users:
            stages = (*stages, few.stage)
            taught.append(few_shot_traces(target, few, cell.users))
        return stages, Learner(target, taught)

    def _name(self, cell: Cell) -> str:
        """What the system is called; data sets and not domains, since a run's name is a part of what it is."""
        e = self._planned.experiment
        sources = " + ".join(self._pipelines[name].dataset.name for name in cell.sources)
        few = self._planned.transfer.few_shot
        steps = [f"{' + '.join(stage.use for stage in e.stages)} on {sources}"] if sources else []
        if few and cell.users:
            steps.append(f"{few.stage.use} on {cell.users} users")
        return f"R2Rec ({e.backbone.use}): {', then '.join(steps)}"
