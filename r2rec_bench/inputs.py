"""What every model of an experiment is made from and asked: data, candidates, questions, traces, each an artifact.

A second run with the same settings does no work. What is asked and learnt from passes the leakage gate on its way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any, cast

from r2rec_bench.asking import Asking
from r2rec_bench.audit import Auditor
from r2rec_bench.contamination.facts import quizzes
from r2rec_bench.contamination.probe import probe
from r2rec_bench.contamination.results import Probe, write
from r2rec_bench.core.config import validate
from r2rec_bench.core.parts import Spread, Write, made
from r2rec_bench.core.resources import measure
from r2rec_bench.core.store import Artifact, ArtifactStore
from r2rec_bench.core.types import Candidates, InteractionLog
from r2rec_bench.core.unfinished import unfinished_of
from r2rec_bench.core.watch import Silent, Watcher
from r2rec_bench.data import candidates as candidate_lists
from r2rec_bench.data import store as dataset_store
from r2rec_bench.data.base import Dataset, Folds, NegativeSampler, Split
from r2rec_bench.data.datasets import Datasets
from r2rec_bench.deciding import ASKING_CODE, AUDIT_CODE, CONTAMINATION_CODE, LIST_CODE, home, rooms
from r2rec_bench.evaluation.base import Ranker
from r2rec_bench.experiment import Experiment
from r2rec_bench.files import AUDIT, CANDIDATES, CONTAMINATION, COUNTS, TRACES, write_json
from r2rec_bench.prompts.base import Asked
from r2rec_bench.traces.base import Teacher
from r2rec_bench.traces.collect import Asker, Collected, collect, in_batches, joined, taught
from r2rec_bench.traces.queries import TrainingQuery, draw_queries
from r2rec_bench.traces.store import read_batch, write_batch, write_traces


class Inputs:
    """The inputs of one experiment, in an artifact store.

    Args:
        experiment: what decides them.
        store: where they are kept.
        watcher: told of every stage.
        datasets: shared with other experiments; its own without.
        spread: who has others do the parts of long stages; without one all is done here.
    """

    def __init__(
        self,
        experiment: Experiment,
        store: ArtifactStore,
        watcher: Watcher,
        datasets: Datasets | None = None,
        spread: Spread | None = None,
    ) -> None:
        self.experiment = experiment
        self.store = store
        self.watcher = watcher
        self._datasets = datasets or Datasets(watcher)
        self._spread = spread

    @cached_property
    def dataset(self) -> Dataset:
        """The data set, or its stand-in."""
        return self._datasets.of(self.experiment.data, self.experiment.otherwise)

    @cached_property
    def data(self) -> Artifact:
        """The prepared data set, kept under its content."""
        settings = {"name": self.dataset.name, "digest": dataset_store.digest(self.dataset)}
        return self.make("data", settings, (), rooms("data.store"), lambda out: dataset_store.write(self.dataset, out))

    @cached_property
    def folds(self) -> Folds:
        return cast("Split", self.experiment.split.build()).split(self.dataset.log)

    @cached_property
    def candidates(self) -> Artifact:
        """The frozen candidate lists."""
        e, c = self.experiment, self.experiment.candidates

        def make(out: Path) -> None:
            drawn = candidate_lists.draw(
                self.folds,
                c.asked,
                cast("NegativeSampler", c.negatives.build()),
                n_negatives=c.n,
                n_users=c.users,
                seed=e.list_seed,
            )
            candidate_lists.write(drawn, self.dataset.log, out / CANDIDATES)

        settings = {"split": e.split.to_dict(), **c.model_dump(mode="json"), "seed": e.list_seed}
        code = (*LIST_CODE, *home(e.split, c.negatives))
        return self.make("candidates", settings, (self.data,), code, make)

    @cached_property
    def candidate_lists(self) -> Candidates:
        return candidate_lists.read(self.candidates.path / CANDIDATES, self.dataset.log)

    @cached_property
    def asking(self) -> Asking:
        e = self.experiment
        return Asking(
            split=e.split,
            fold=e.candidates.asked,
            visibility=e.visibility,
            chains=e.chains,
            prompts=e.prompts,
            backbone=e.backbone,
            outcomes=cast("Ranker", e.ranker.build()).outcomes,
            seed=e.seed,
        )

    def training_queries(self) -> list[TrainingQuery]:
        """What is asked in training, in drawn order."""
        log, outcomes = self.asking.visible_log(self.dataset), self.asking.outcomes
        return draw_queries(log, self.experiment.queries, self.experiment.seed, outcomes)

    @cached_property
    def traces(self) -> Artifact:
        """Training traces, and what became of the questions without one."""
        return self.traces_about(self.training_queries, {"queries": self.experiment.queries.model_dump(mode="json")})

    def traces_about(
        self,
        draw: Callable[[], Sequence[TrainingQuery]],
        drawn: Mapping[str, Any],
        inputs: Sequence[Artifact] = (),
        code: Sequence[str] = (),
    ) -> Artifact:
        """Training traces for the questions that `draw` gives.

        Args:
            draw: called only where they have to be made.
            drawn: the settings that decide the questions.
            inputs: artifacts that decide them, beside the data.
            code: modules that decide them, beside those of all traces.
        """
        e = self.experiment

        def make(out: Path) -> None:
            got = self._collected(draw(), out)
            write_traces(got.traces, out / TRACES)
            counts = asdict(replace(got, traces=()))  # each of which it would copy
            audited = self._auditor.learnt(got.traces)
            write_json(out / COUNTS, counts | {"traces": len(got.traces), "audited": audited})

        identity = self._teacher.identity()
        settings = {
            "asking": self.asking_settings(),
            "teacher": e.teacher.to_dict() | ({"identity": identity} if identity else {}),
            **drawn,
        }
        code = (*ASKING_CODE, *AUDIT_CODE, *home(e.split, e.chains, e.prompts, e.backbone, e.teacher), *code)
        return self.make("traces", settings, (self.data, *inputs), code, make)

    def _collected(self, queries: Sequence[TrainingQuery], out: Path) -> Collected:
        """Traces for `queries`; batches that can be taught by themselves are parts of the work on `out`."""
        if not self._teacher.apart:
            return collect(self._asker, self._teacher, queries, lambda done, n: self.watcher.progress(done, n, {}))
        parts = in_batches(queries, self._teacher.batch)
        here = [partial(self.teach, some) for some in parts]
        there = [partial(_taught_by, self.elsewhere, some) for some in parts]
        return joined(self._asker, [read_batch(folder) for folder in self.parts(out, here, there)])

    def teach(self, queries: Sequence[TrainingQuery], folder: Path) -> None:
        """A batch of traces into `folder`."""
        write_batch(taught(self._asker, self._teacher, queries), folder)

    @cached_property
    def _teacher(self) -> Teacher:
        return cast("Teacher", self.experiment.teacher.build())

    @cached_property
    def audit(self) -> Artifact:
        """What the leakage gate has checked of the lists and of the questions about them.

        Raises:
            LeakageError: it has found a leak; nothing is measured then.
        """
        e = self.experiment

        def make(out: Path) -> None:
            write_json(out / AUDIT, asdict(self._auditor.asked(self.candidate_lists, self.asked[0])))

        code = (*AUDIT_CODE, *ASKING_CODE, *home(e.split, e.chains, e.prompts, e.backbone))
        settings = {"asking": self.asking_settings()}
        return self.make("audit", settings, (self.data, self.candidates), code, make)

    @cached_property
    def contamination(self) -> Artifact | None:
        """What the backbone, before any training, knows of the data set; None where it is not to be asked.

        It is asked about held-out interactions, and nothing is made from it: no model can learn of them here.
        """
        e, c = self.experiment, self.experiment.contamination
        if c is None:
            return None

        def make(out: Path) -> None:
            from r2rec_bench.llm.model import LanguageModel

            backbone = self.asking.model
            model = LanguageModel.load(backbone.checkpoint(), backbone.load_options())
            asked = quizzes(self.dataset, self.folds, e.candidates.asked, c)
            found = probe(model, asked, lambda done, n: self.watcher.progress(done, n, {}))
            write(Probe(self.dataset.name, name, c.seed, found), out / CONTAMINATION)

        spec = e.backbone.to_dict()
        name = ":".join(str(value) for value in list(spec.values())[:2] if value is not None)
        settings = {
            **c.model_dump(mode="json"),
            "backbone": spec,
            "weights": self._identity,
            "split": e.split.to_dict(),
            "fold": e.candidates.fold,
        }
        code = (*CONTAMINATION_CODE, *home(e.split, e.backbone))
        return self.make("contamination", settings, (self.data,), code, make)

    @property
    def _auditor(self) -> Auditor:
        e = self.experiment

        def ask(log: InteractionLog) -> Asker:
            return self.asking.asker(replace(self.dataset, log=log))

        return Auditor(self.folds, e.candidates.asked, e.visibility, ask, e.seed)

    @cached_property
    def asked(self) -> tuple[list[list[Asked]], float]:
        """The questions about all candidates, (q, c), and the seconds they took, which each model asked is charged."""
        rows = range(len(self.candidate_lists))
        with measure() as watch:
            asked = self.questions(rows)
        return asked, watch.seconds

    def questions(self, rows: Iterable[int]) -> list[list[Asked]]:
        """The questions about the candidates in some of the lists, (rows, c)."""
        lists = self.candidate_lists
        return [self._asker.prompts(lists.queries[row], lists.items[row].tolist()) for row in rows]

    @cached_property
    def _asker(self) -> Asker:
        return self.asking.asker(self.dataset)

    @property
    def protocol(self) -> str:
        """Split, visibility, candidates and tie rule in a sentence, for captions."""
        e, c = self.experiment, self.experiment.candidates
        who = "all users" if c.users is None else f"at most {c.users} users"
        made = " SYNTHETIC DATA." if self.dataset.synthetic else ""
        return (
            f"{self.dataset.name}, {e.split.use}, fold {c.fold}, visibility {e.visibility}; {who}; 1 positive + {c.n} "
            f"{c.negatives.use} negatives; ties lose; lists of seed {e.list_seed}.{made}"
        )

    def asking_settings(self) -> dict[str, Any]:
        """All that decides a question, for recipes."""
        return self.asking.model_dump(mode="json") | {"weights": self._identity}

    @cached_property
    def _identity(self) -> str:
        return self.asking.model.identity()

    @cached_property
    def _written(self) -> dict[str, Any]:
        return self.experiment.model_dump(mode="json")

    @property
    def elsewhere(self) -> Elsewhere:
        """The same inputs for another process."""
        return Elsewhere(self.experiment.model_dump_json(), self.store.root.absolute(), self.data.path.absolute())

    def parts(self, out: Path, here: Sequence[Write], there: Sequence[Write]) -> list[Path]:
        """The folders of all parts of what is being made in `out`: each by `here`, or elsewhere by `there`."""
        return made(unfinished_of(out.absolute()), here, there, self._spread)

    def make(
        self,
        stage: str,
        settings: Mapping[str, Any],
        inputs: Sequence[Artifact],
        code: Sequence[str],
        make: Callable[[Path], None],
        title: str = "",
    ) -> Artifact:
        """The artifact of a stage, made or found, with the watcher told of it under `title`."""
        title = title or stage
        self.watcher.open(self.experiment.name, self._written)
        self.watcher.begin(title)
        artifact = self.store.get(stage, settings, inputs, code, make)
        self.watcher.end(title, artifact.seconds, cached=artifact.cached)
        return artifact


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """An experiment for another process, which finds in the store what this one has in memory.

    Attributes:
        experiment: as JSON.
        root: the store's folder.
        data: the folder of the prepared data set.
    """

    experiment: str
    root: Path
    data: Path

    def inputs(self) -> Inputs:
        """Its inputs, which have been made before."""
        return _inputs(self)


@lru_cache(maxsize=1)  # a process is given part after part of one stage
def _inputs(elsewhere: Elsewhere) -> Inputs:
    experiment = validate(Experiment, json.loads(elsewhere.experiment), "the experiment")
    inputs = Inputs(experiment, ArtifactStore(elsewhere.root, frozen=True), Silent())
    inputs.dataset = dataset_store.read(elsewhere.data)
    return inputs


def _taught_by(elsewhere: Elsewhere, queries: Sequence[TrainingQuery], folder: Path) -> None:
    elsewhere.inputs().teach(queries, folder)
