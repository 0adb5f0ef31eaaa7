"""The part of an experiment that decides what a model is asked: training, evaluation and explanation agree on it."""

from __future__ import annotations

from functools import partial
from typing import Annotated, cast

from r2rec_bench.chains.base import ChainSampler
from r2rec_bench.core.config import Config, Family, Spec
from r2rec_bench.core.types import InteractionLog, Visibility
from r2rec_bench.data.base import Dataset, Fold, Split
from r2rec_bench.evaluation.base import Reader
from r2rec_bench.graph import InteractionGraph
from r2rec_bench.llm.base import Backbone
from r2rec_bench.llm.loading import length, load_tokenizer
from r2rec_bench.prompts.base import PromptStrategy
from r2rec_bench.prompts.wording import Wording
from r2rec_bench.prompts.wordings import wording_for
from r2rec_bench.traces.collect import Asker


class Asking(Config):
    """Evidence, prompt and reading; stored with every result, so that any of its questions can be put again."""

    split: Annotated[Spec, Family("splits")]
    fold: Fold
    """The fold asked about."""
    visibility: Visibility
    chains: Annotated[Spec, Family("chains")]
    prompts: Annotated[Spec, Family("prompts")]
    backbone: Annotated[Spec, Family("backbones")]
    outcomes: tuple[int, ...]
    """The answers allowed, ascending; the ranker decides."""
    seed: int

    @property
    def strategy(self) -> PromptStrategy:
        return cast("PromptStrategy", self.prompts.build())

    @property
    def model(self) -> Backbone:
        return cast("Backbone", self.backbone.build())

    @property
    def wording(self) -> Wording:
        """The strategy's own choice, or the backbone's."""
        return wording_for(self.strategy.config.wording, self.model.wording, self.outcomes)

    @property
    def reader(self) -> Reader:
        return Reader(self.strategy, self.wording)

    def visible_log(self, dataset: Dataset) -> InteractionLog:
        """What queries of the fold asked about may see at most."""
        return cast("Split", self.split.build()).split(dataset.log).visible_log(self.fold)

    def asker(self, dataset: Dataset) -> Asker:
        """Puts questions about `dataset`; loads the backbone's tokenizer, to count by."""
        backbone = self.model
        return Asker(
            graph=InteractionGraph(self.visible_log(dataset), self.visibility),
            catalog=dataset.catalog,
            sampler=cast("ChainSampler", self.chains.build()),
            strategy=self.strategy,
            wording=self.wording,
            count=partial(length, load_tokenizer(backbone.checkpoint(), backbone.load_options())),
            outcomes=self.outcomes,
            seed=self.seed,
        )
