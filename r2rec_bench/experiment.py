"""An experiment: everything that decides a table, in one strict model; its YAML is complete."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal, Self, cast

from pydantic import Field, model_validator

from r2rec_bench.contamination.facts import ContaminationConfig
from r2rec_bench.core.config import Config, Family, Spec, validate
from r2rec_bench.core.errors import ConfigError, Problem, nearest
from r2rec_bench.core.types import NONE_RATING, Visibility
from r2rec_bench.data.base import Fold
from r2rec_bench.evaluation.base import Ranker, Reader, Recipe
from r2rec_bench.llm.base import Backbone
from r2rec_bench.prompts.base import PromptStrategy
from r2rec_bench.prompts.wordings import wording_for
from r2rec_bench.traces.queries import QueriesConfig
from r2rec_bench.training.launch import Launch
from r2rec_bench.training.loop import handoff_problems

SourceSpec = Annotated[Spec, Family("sources")]
SplitSpec = Annotated[Spec, Family("splits")]
NegativesSpec = Annotated[Spec, Family("negatives")]
ChainsSpec = Annotated[Spec, Family("chains")]
PromptsSpec = Annotated[Spec, Family("prompts")]
TeacherSpec = Annotated[Spec, Family("teachers")]
BackboneSpec = Annotated[Spec, Family("backbones")]
StageSpec = Annotated[Spec, Family("stages")]
RankerSpec = Annotated[Spec, Family("rankers")]
MetricSpec = Annotated[Spec, Family("metrics")]
BaselineSpec = Annotated[Spec, Family("baselines")]


class CandidatesConfig(Config):
    """The frozen lists that every model of the table ranks."""

    negatives: NegativesSpec
    """Where the items come from that a positive is ranked against."""
    n: Annotated[int, Field(ge=1, le=10_000)] = 19
    """Negatives per list."""
    users: Annotated[int, Field(ge=1)] | None = 1_000
    """Users asked, drawn by the seed; null asks all."""
    fold: Literal["validation", "test"] = "test"
    seed: Annotated[int, Field(ge=0)] | None = None
    """Of the draw of users and negatives; null: the experiment's. Runs under several seeds share it, so that they are
    paired by user."""

    @property
    def asked(self) -> Fold:
        """The fold asked about; what may be learnt from is every fold before it."""
        return Fold[self.fold.upper()]


RECIPE_KEYS = ("chains", "prompts", "teacher", "queries", "stages", "ranker")
"""What a recipe may change; everything else its row has in common with the others of the table."""


class Experiment(Config):
    """R2Rec with every part chosen, and the baselines to stand beside it."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
    """Also the folder of its report."""
    question: Annotated[str, Field(min_length=1)]
    seed: Annotated[int, Field(ge=0)] = 0
    data: SourceSpec
    otherwise: SourceSpec | None = None
    """Used, loudly, when `data` can neither be found nor fetched."""
    split: SplitSpec
    visibility: Visibility
    """Which of other people's edges a query may see; `past` is required under a temporal split."""
    candidates: CandidatesConfig
    chains: ChainsSpec
    prompts: PromptsSpec
    teacher: TeacherSpec
    queries: QueriesConfig
    backbone: BackboneSpec
    stages: tuple[StageSpec, ...]
    """Run in this order; the model is evaluated after each."""
    launch: Launch | None = None
    """Several processes or GPUs that the stages are trained on, `accelerate:FILE`; null trains in one process."""
    untrained: bool = True
    """Whether to evaluate the backbone before any stage too: the "original LLM"."""
    ranker: RankerSpec
    metrics: Annotated[tuple[MetricSpec, ...], Field(min_length=1)]
    baselines: tuple[BaselineSpec, ...]
    contamination: ContaminationConfig | None = None
    """What the backbone is asked, to find out whether it has seen the data set before; null asks nothing."""

    @property
    def list_seed(self) -> int:
        """Of the draw of users and negatives."""
        return self.seed if self.candidates.seed is None else self.candidates.seed

    def under(self, seed: int) -> Experiment:
        """This experiment under another seed, asked the same lists, so that runs are paired by user."""
        if seed == self.seed:
            return self
        lists = self.candidates.model_copy(update={"seed": self.list_seed})
        return self.model_copy(update={"seed": seed, "candidates": lists})

    def with_recipe(self, name: str, recipe: Recipe) -> Experiment:
        """This experiment as a recipe among its baselines changes it.

        Raises:
            ConfigError: the recipe changes what it may not, or the parts do not go together.
        """
        written = self.model_dump(mode="json")
        change = recipe.change(written)
        source = f"baselines: {name}"
        wrong = [
            Problem(key, f"a recipe may change {', '.join(RECIPE_KEYS)}", nearest(key, RECIPE_KEYS))
            for key in change
            if key not in RECIPE_KEYS
        ]
        if wrong:
            raise ConfigError(source, wrong)
        return validate(Experiment, {**written, **change, "baselines": [], "untrained": True}, source)

    @model_validator(mode="after")
    def _agree(self) -> Self:
        ranker, strategy = cast("Ranker", self.ranker.build()), cast("PromptStrategy", self.prompts.build())
        outcomes = ranker.outcomes
        if NONE_RATING in outcomes and self.queries.touched == 1:
            raise ValueError(
                f"queries.touched is 1, but the ranker '{self.ranker.use}' asks whether the user would interact "
                "at all: without untouched items every answer is yes. Lower queries.touched (0.35 is usual)"
            )
        if NONE_RATING not in outcomes and self.queries.touched < 1:
            raise ValueError(
                f"queries.touched is {self.queries.touched}, but the ranker '{self.ranker.use}' asks for ratings "
                "only, and untouched items have none. Set queries.touched to 1, or the ranker to rating_interaction"
            )
        own = cast("Backbone", self.backbone.build()).wording
        reader = Reader(strategy, wording_for(strategy.config.wording, own, outcomes))
        if problem := ranker.problem(reader, 1 + self.candidates.n):
            raise ValueError(problem)
        if not (self.stages or self.untrained or self.baselines):
            raise ValueError("nothing to rank with: no stages, no baselines, and untrained is false. Name one of them")
        if repeated := [name for name, n in Counter(spec.use for spec in self.metrics).items() if n > 1]:
            raise ValueError(
                f"metrics: {', '.join(repeated)} is listed twice; list a metric once, with all its cutoffs"
            )
        split = self.split.use
        if split == "temporal" and self.visibility is not Visibility.PAST:
            raise ValueError("visibility is 'fold', but the temporal split requires 'past'")
        if split != "temporal" and self.visibility is Visibility.PAST and self.baselines:
            raise ValueError(
                f"visibility is 'past' under the split '{split}': baselines are fitted once and would see the future "
                "of most queries. Use the temporal split, or leave the baselines out"
            )
        adapters = cast("Backbone", self.backbone.build()).lora() is not None
        for problem in handoff_problems(self.stages, adapters=adapters):
            raise ValueError(problem)
        for spec in self.baselines:
            contender = spec.build()
            if isinstance(contender, Recipe):
                self.with_recipe(spec.use, contender)
        return self
