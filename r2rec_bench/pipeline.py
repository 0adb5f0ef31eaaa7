"""From an experiment to results: each stage an artifact under a fingerprint of all that decides it.

data → candidates → traces → checkpoint, checkpoint, ... → evaluation; baselines read the same candidates. A second
run with the same settings does no work, and a changed reward trains again from the same fine-tuned checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from r2rec_bench.core.config import Spec
from r2rec_bench.core.environment import capture
from r2rec_bench.core.resources import measure
from r2rec_bench.core.store import Artifact, recipe_of
from r2rec_bench.core.types import Case, Cost, Ranking
from r2rec_bench.core.unfinished import unfinished_of
from r2rec_bench.deciding import ASKING_CODE, SCORING_CODE, TRAINING_CODE, home
from r2rec_bench.evaluation.base import Baseline, Progress, Ranker, Recipe
from r2rec_bench.evaluation.blocks import blocks, joined, read_block, write_block
from r2rec_bench.evaluation.cases import write_cases
from r2rec_bench.evaluation.metrics.base import Answered, Metric, Reasoning
from r2rec_bench.evaluation.results import BASELINE, R2REC, UNTRAINED, Run, RunHeader, RunResult, StageCost
from r2rec_bench.evaluation.results import measure as measured
from r2rec_bench.files import ASKING, CASES, LOG, MODEL, TRACES, write_json
from r2rec_bench.inputs import Elsewhere, Inputs
from r2rec_bench.llm.base import Checkpoint
from r2rec_bench.prompts.base import Asked
from r2rec_bench.traces.store import read_traces
from r2rec_bench.training.base import Stage, StageContext
from r2rec_bench.training.launch import launched
from r2rec_bench.training.loop import LoopConfig

if TYPE_CHECKING:
    from r2rec_bench.llm.model import LanguageModel


class Pipeline(Inputs):
    """Runs an experiment against an artifact store."""

    def run(self) -> tuple[Run, ...]:
        """Every row of the experiment's table, made or found: baselines, the backbone, then each stage."""
        return tuple(row() for row in self._rows())

    def last(self) -> Run:
        """The last row alone, which is what an ablation is about: nothing is made that only other rows need."""
        return self._rows()[-1]()

    def stages(self) -> Iterator[Run]:
        """The model after each stage in turn: the next one is trained when its row is asked for."""
        return (self._after(count) for count in range(1, len(self.experiment.stages) + 1))

    def _rows(self) -> list[Callable[[], Run]]:
        e = self.experiment
        rows: list[Callable[[], Run]] = [partial(self.contender, spec) for spec in e.baselines]
        if e.untrained:
            rows.append(partial(self.evaluation, (), f"{e.backbone.use}, untrained", UNTRAINED))
        return rows + [partial(self._after, count) for count in range(1, len(e.stages) + 1)]

    def _after(self, count: int) -> Run:
        """The model after the first `count` stages."""
        e = self.experiment
        stages = e.stages[:count]
        return self.evaluation(stages, f"R2Rec ({e.backbone.use}): {' + '.join(s.use for s in stages)}", R2REC)

    def trained(self, stages: Sequence[Spec]) -> Artifact:
        """The checkpoint after `stages`, each from the one before it."""
        e, spec = self.experiment, stages[-1]
        launch = e.launch if isinstance(spec.settings, LoopConfig) else None  # a plug-in's own loop is one process's
        before, lessons = [self.trained(stages[:-1])] if len(stages) > 1 else [], self.lessons(stages)

        def make(out: Path) -> None:
            for later in (spec, *e.stages[len(stages) :]):  # before any of them has taken its hours
                cast("Stage", later.build()).require_machine()
            start = _checkpoint(before[0], self._base(stages[:-1])) if before else self.asking.model.checkpoint()
            context = StageContext(
                backbone=self.asking.model,
                strategy=self.asking.strategy,
                wording=self.asking.wording,
                outcomes=self.asking.outcomes,
                seed=e.seed,
                report=self.watcher.progress,
                unfinished=unfinished_of(out),
            )
            folder = out / MODEL
            folder.mkdir()
            stage, traces = cast("Stage", spec.build()), read_traces(lessons.path / TRACES)
            if launch:
                result = launched(launch, stage, start, traces, folder, context)
            else:
                result = stage.run(start, traces, folder, context)
            write_json(out / LOG, asdict(result))

        settings = {"stage": spec.to_dict(), "asking": self.asking_settings()}
        if launch:  # a run in one process keeps its fingerprint
            settings["launch"] = launch.recipe()
        code = (*TRAINING_CODE, *cast("Stage", spec.build()).code, *home(spec, e.backbone, e.prompts))
        return self.make(spec.use, settings, (*before, lessons), code, make)

    def lessons(self, stages: Sequence[Spec]) -> Artifact:
        """The traces that the last of `stages` learns from."""
        return self.traces

    def _base(self, stages: Sequence[Spec]) -> Path:
        """The model that the adapter after `stages` sits on, where adapters are trained."""
        *earlier, last = stages
        if isinstance(last.settings, LoopConfig) and last.settings.handoff == "continue":
            return self._base(earlier)
        return self.trained(earlier).path / MODEL if earlier else self.asking.model.checkpoint().path

    def evaluation(self, stages: Sequence[Spec], name: str, kind: str, learner: Pipeline | None = None) -> Run:
        """The model after `stages`, none of them for the untrained backbone, asked all candidates.

        Args:
            stages: how it was trained.
            name: in tables.
            kind: what it is, for tables.
            learner: whose traces it was trained on; this experiment's own without.
        """
        e, learner = self.experiment, learner or self
        audited = self.audit  # before any training: what leaks is not worth it
        before = [learner.trained(stages)] if stages else []

        def answer(out: Path) -> Answered:
            asked, seconds = self.asked
            examined = Examined(self, _checkpoint(before[0]) if before else self.asking.model.checkpoint())

            def again(questions: Sequence[Sequence[Asked]]) -> Ranking:
                return examined.rank(questions, lambda done, n: self.watcher.progress(done, n, {}))

            ranking = self._ranked(examined, asked, out)
            write_cases(ranking, self.candidate_lists, self.dataset.log, out / CASES)
            write_json(out / ASKING, self.asking.model_dump(mode="json"))
            charged = replace(ranking, cost=ranking.cost + Cost(seconds))
            return self._answered(charged, Reasoning(asked, self.asking.reader, again))

        code = (*ASKING_CODE, *home(e.chains, e.prompts, e.backbone, e.ranker))
        settings = {"asking": self.asking_settings(), "ranker": e.ranker.to_dict(), "system": name}
        inputs, costs = (audited, *before), learner._training_costs(stages)
        return self._outcome("evaluation", kind, name, settings, inputs, code, costs, answer)

    def _ranked(self, examined: Examined, asked: Sequence[Sequence[Asked]], out: Path) -> Ranking:
        """A model's answer to all of `asked`; blocks of users are parts of the work on `out`."""
        rows = blocks(len(asked))

        def ask(block: range, folder: Path) -> None:
            n, before = len(asked) * len(asked[0]), block.start * len(asked[0])

            def told(done: int, _: int) -> None:
                self.watcher.progress(before + done, n, {})

            write_block(examined.rank([asked[row] for row in block], told), folder)

        here = [partial(ask, block) for block in rows]
        there = [partial(_asked_by, self.elsewhere, examined.checkpoint, block) for block in rows]
        folders = self.parts(out, here, there)
        return joined([read_block(folder, len(block)) for folder, block in zip(folders, rows, strict=True)])

    def contender(self, spec: Spec) -> Run:
        """One of the experiment's baselines, be it fitted or prompted."""
        contender = spec.build()
        return self.recipe(spec, contender) if isinstance(contender, Recipe) else self.baseline(spec)

    def recipe(self, spec: Spec, recipe: Recipe) -> Run:
        """Another way to use the experiment's backbone, asked the same candidates."""
        changed = self.experiment.with_recipe(spec.use, recipe)
        beside = Pipeline(changed, self.store, self.watcher, self._datasets, self._spread)
        called = spec.use if recipe.exact else f"{spec.use}-style"
        name = f"{self._name(spec).replace(spec.use, called, 1)} ({self.experiment.backbone.use})"
        return beside.evaluation(beside.experiment.stages, name, BASELINE)

    def baseline(self, spec: Spec) -> Run:
        """A baseline, fitted on the visible fold and asked the same candidates."""
        e = self.experiment

        def answer(out: Path) -> Answered:
            model = cast("Baseline", spec.build())
            with measure() as watch:
                model.fit(self.folds.visible_log(e.candidates.asked), e.seed)
                scores = model.score(self.candidate_lists)
                ratings = model.ratings(self.candidate_lists)
            cost = Cost(watch.seconds, peak_bytes=watch.peak_bytes)
            valid = np.isfinite(scores)
            ranking = Ranking(np.where(valid, scores, np.nan), ratings, valid, cost)
            write_cases(_wordless(ranking), self.candidate_lists, self.dataset.log, out / CASES)
            return self._answered(ranking, None)

        settings = {"baseline": spec.to_dict(), "fold": e.candidates.fold, "split": e.split.to_dict(), "seed": e.seed}
        return self._outcome("baseline", BASELINE, self._name(spec), settings, (), home(spec), [], answer)

    def _answered(self, ranking: Ranking, reasoning: Reasoning | None) -> Answered:
        lists = self.candidate_lists
        seen = self.folds.visible_log(self.experiment.candidates.asked)
        return Answered(
            ranking,
            lists,
            item_seen=np.bincount(seen.item, minlength=seen.n_items),
            user_seen=np.array([query.position for query in lists.queries], dtype=np.int64),
            reasoning=reasoning,
        )

    def _name(self, baseline: Spec) -> str:
        """What the table calls a baseline: its name, with the settings that tell it from another of that name."""
        same = [spec.to_dict() for spec in self.experiment.baselines if spec.use == baseline.use]
        own = baseline.to_dict()
        differing = [f"{key}={own[key]}" for key in own if any(other[key] != own[key] for other in same)]
        return f"{baseline.use} ({', '.join(differing)})" if differing else baseline.use

    def _outcome(
        self,
        stage: str,
        kind: str,
        system: str,
        settings: Mapping[str, Any],
        inputs: Sequence[Artifact],
        code: Sequence[str],
        costs: Sequence[StageCost],
        answer: Callable[[Path], Answered],
    ) -> Run:
        """Asks, measures and stores one row."""
        e = self.experiment
        settings = {**settings, "metrics": [spec.to_dict() for spec in e.metrics], "protocol": self.protocol}
        inputs = (self.data, self.candidates, *inputs)
        code = (*SCORING_CODE, *home(*e.metrics), *code)
        run_id = recipe_of(stage, settings, inputs, code).fingerprint[:16]

        def make(out: Path) -> None:
            answered = answer(out)
            metrics = [cast("Metric", spec.build()) for spec in e.metrics]
            table = measured(answered, self.dataset.log, metrics)
            stages = (*costs, StageCost("fit and score" if stage == "baseline" else stage, answered.ranking.cost))
            header = RunHeader(run_id, system, kind, e.seed, self.protocol, stages, capture())
            RunResult(**{name: getattr(header, name) for name in RunHeader.__slots__}, users=table).save(out)

        artifact = self.make(stage, settings, inputs, code, make, title=system)
        # The stored name is that of whoever made it first.
        result = replace(RunResult.load(artifact.path), system=system)
        self.watcher.result(system, result.run_id, {metric: result.mean(metric) for metric in result.users.metrics})
        return Run(result, artifact)

    def _training_costs(self, stages: Sequence[Spec]) -> list[StageCost]:
        if not stages:
            return []
        steps = [stages[:k] for k in range(1, len(stages) + 1)]
        # Traces may be mixed of other traces, which took their time too.
        lessons = [made for step in steps for made in self._mixed_of(self.lessons(step))]
        artifacts = {made.fingerprint: made for made in (*lessons, *map(self.trained, steps))}
        return [StageCost(a.stage, Cost(a.seconds, peak_bytes=a.peak_bytes)) for a in artifacts.values()]

    def _mixed_of(self, artifact: Artifact) -> list[Artifact]:
        """The artifact after those of its own kind that it was made from."""
        return [*(a for a in self.store.inputs(artifact) if a.stage == artifact.stage), artifact]


class Examined:
    """A model that is asked an experiment's questions; it is loaded when it is asked.

    Args:
        inputs: the experiment's.
        checkpoint: of the model.
    """

    def __init__(self, inputs: Inputs, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self._inputs = inputs

    def rank(self, asked: Sequence[Sequence[Asked]], progress: Progress) -> Ranking:
        """Its answer to `asked`, (q, c)."""
        ranker = cast("Ranker", self._inputs.experiment.ranker.build())
        return ranker.rank(self._model, asked, self._inputs.asking.reader, progress)

    @cached_property
    def _model(self) -> LanguageModel:
        from r2rec_bench.llm.model import LanguageModel

        return LanguageModel.load(self.checkpoint, self._inputs.asking.model.load_options())


@lru_cache(maxsize=1)  # a process is given block after block
def _examined(elsewhere: Elsewhere, checkpoint: Checkpoint) -> Examined:
    return Examined(elsewhere.inputs(), checkpoint)


def _asked_by(elsewhere: Elsewhere, checkpoint: Checkpoint, block: range, folder: Path) -> None:
    asked = elsewhere.inputs().questions(block)
    write_block(_examined(elsewhere, checkpoint).rank(asked, lambda done, n: None), folder)


def _wordless(ranking: Ranking) -> Ranking:
    """The ranking of a model that reads and writes nothing, with cases to be stored beside those of others."""
    users, width = ranking.scores.shape
    return replace(ranking, cases=((Case("", ""),) * width,) * users)


def _checkpoint(artifact: Artifact, base: Path | None = None) -> Checkpoint:
    return Checkpoint(artifact.path / MODEL, base)
