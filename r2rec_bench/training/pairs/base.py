"""What makes preferences: for one prompt, a completion to choose and one to reject."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from r2rec_bench.core.registry import Component, Registry
from r2rec_bench.core.texts import Trace
from r2rec_bench.llm.model import LanguageModel, TokenIds
from r2rec_bench.training.base import StageContext


@dataclass(frozen=True, slots=True)
class Pair:
    """Token ids of a prompt, of the better completion, and of the worse."""

    prompt: TokenIds
    chosen: TokenIds
    rejected: TokenIds


@dataclass(frozen=True, slots=True)
class Paired:
    """Preferences, and what became of the other prompts.

    Attributes:
        pairs: in the order of the traces.
        notes: figures for the stage's result, e.g. how many prompts have no pair.
        alarms: what looked wrong, in words.
    """

    pairs: tuple[Pair, ...]
    notes: Mapping[str, float] = field(default_factory=dict[str, float])
    alarms: tuple[str, ...] = ()


class PairMaker(Component):
    """Makes preferences of traces."""

    @abstractmethod
    def pair(self, traces: Sequence[Trace], model: LanguageModel, context: StageContext) -> Paired:
        """At most one preference for each of `traces`.

        Args:
            traces: sound completions of prompts.
            model: the checkpoint that the stage starts from.
            context: of the stage.
        """


pair_makers: Registry[PairMaker] = Registry("pairs", "pair maker", PairMaker, "r2rec_bench.training.pairs")
