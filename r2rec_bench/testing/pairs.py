"""What every maker of preferences promises."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from r2rec_bench.core.texts import Trace
from r2rec_bench.prompts.progressive_mask import ProgressiveMask
from r2rec_bench.prompts.wordings import WORDINGS
from r2rec_bench.testing.comparing import require_same, require_unchanged, told
from r2rec_bench.testing.contract import require
from r2rec_bench.testing.every import contract
from r2rec_bench.testing.models import small_backbones
from r2rec_bench.testing.questions import OUTCOMES, traces
from r2rec_bench.training.base import StageContext
from r2rec_bench.training.pairs.base import Paired, PairMaker

if TYPE_CHECKING:
    from r2rec_bench.llm.model import LanguageModel

CONTRACT = contract("pairs", PairMaker)
_TRACES = 9


@CONTRACT.rule
def pairs_are_preferences(maker: PairMaker) -> None:
    """At most one pair per trace, in their order: a prompt of theirs, and two completions that are not the same."""
    paired = _paired(maker)
    require(len(paired.pairs) <= _TRACES, f"{len(paired.pairs)} pairs of {_TRACES} traces", "at most one each")
    prompts = _model().encode([trace.prompt for trace in _traces()])
    at = 0
    for pair in paired.pairs:
        at = next((k + 1 for k, prompt in enumerate(prompts[at:], at) if prompt == pair.prompt), 0)
        require(at, f"a prompt {pair.prompt[:5]}…", "the prompts of the traces, in their order")
        require(pair.chosen and pair.rejected, "an empty completion", "token ids")
        require(pair.chosen != pair.rejected, f"{pair.chosen} twice", "two completions that differ")


@CONTRACT.rule
def the_same_seed_gives_the_same_pairs(maker: PairMaker) -> None:
    """The same traces and seed give the same pairs, and the traces are left as they were."""
    before = told(_traces())
    first, second = (_paired(one) for one in (maker, type(maker)(maker.config)))
    require_same(second, first, "the same seed", "the same pairs")
    require_unchanged(before, _traces(), "a trace")


def _paired(maker: PairMaker) -> Paired:
    backbone, wording = small_backbones()[0], WORDINGS["compact"]
    context = StageContext(backbone, ProgressiveMask(), wording, OUTCOMES, 0, lambda step, n, figures: None)
    return maker.pair(_traces(), _model(), context)


@cache
def _traces() -> list[Trace]:
    return traces(ProgressiveMask(), WORDINGS["compact"], _TRACES)


@cache
def _model() -> LanguageModel:
    from r2rec_bench.llm.model import LanguageModel

    backbone = small_backbones()[0]
    return LanguageModel.load(backbone.checkpoint(), backbone.load_options())
