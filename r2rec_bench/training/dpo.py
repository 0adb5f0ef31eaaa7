"""Direct preference optimisation: learning from a better and a worse completion, without sampling on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, cast

import numpy as np
from pydantic import Field

from r2rec_bench.core.config import Family, Spec, Tune
from r2rec_bench.core.errors import InputError
from r2rec_bench.core.texts import Trace
from r2rec_bench.llm.base import Checkpoint
from r2rec_bench.training.base import Stage, StageContext, StageResult, stages
from r2rec_bench.training.loop import LoopConfig
from r2rec_bench.training.pairs.base import PairMaker

_LAST = 0.1
"""Share of the updates, the last ones, over which the end of training is averaged."""


def _corrupted() -> Spec:
    from r2rec_bench.training.pairs.corrupted import CorruptedConfig

    return Spec("pairs", "corrupted", CorruptedConfig())


class DpoConfig(LoopConfig):
    """The defaults are for adapters of pretrained LLMs; a small backbone wants a far higher learning rate."""

    lr: Annotated[float, Field(gt=0, lt=1), Tune(1e-7, 1e-3, log=True)] = 5e-6
    rejected: Annotated[Spec, Family("pairs")] = Field(default_factory=_corrupted)
    """Where the worse completion of each pair comes from."""
    examples: Annotated[int, Field(ge=1)] | None = None
    """Traces used, from the first; none uses all."""
    epochs: Annotated[float, Field(gt=0), Tune(1, 3)] = 1.0
    batch_size: Annotated[int, Field(ge=1)] = 16
    """Pairs per pass."""
    beta: Annotated[float, Field(gt=0), Tune(0.01, 0.5, log=True)] = 0.1
    """Weight of the KL divergence from the checkpoint that the stage starts from; implicit rewards are in its unit."""


@stages.register("dpo")
class Dpo(Stage):
    """Direct preference optimisation through TRL's DPOTrainer, sigmoid loss.

    The implicit reward of a completion is beta times its log-probability under the model, less that under the
    checkpoint that the stage starts from.

    Source: DPO (arXiv 2305.18290); TRL. In R2Rec's pipeline it stands in for stage 2 (arXiv 2506.05069).
    """

    config: DpoConfig

    def run(self, start: Checkpoint, traces: Sequence[Trace], out: Path, context: StageContext) -> StageResult:
        from r2rec_bench.training.trl.preferred import prefer
        from r2rec_bench.training.trl.session import opened

        config = self.config
        asked = traces[: config.examples]
        if not asked:
            raise InputError("dpo: no traces to learn from; see what the trace filters dropped")
        with opened("dpo", start, out, config, context) as session:
            paired = cast("PairMaker", config.rejected.build()).pair(asked, session.lm, context)
            if not paired.pairs:
                raise InputError(
                    f"dpo.rejected ({config.rejected.use}): none of {len(asked)} prompts has a pair; "
                    "change what is rejected, or lower its margin if it has one"
                )
            prefer(session, paired.pairs, epochs=config.epochs, batch_size=config.batch_size, beta=config.beta)
        rows = session.rows
        last = {name: _at_the_end(rows, name) for name in ("accuracy", "margin", "reward_chosen")}
        notes = {
            "loss_first": rows[0]["loss"],
            "loss_last": rows[-1]["loss"],
            **{f"{name}_last": value for name, value in last.items()},
            "pairs": float(len(paired.pairs)),
            **paired.notes,
        }
        alarms = (*paired.alarms, *_alarms(last["accuracy"], last["margin"], last["reward_chosen"]))
        return StageResult(tuple(rows), alarms, len(paired.pairs), session.tokens, notes)


def _at_the_end(rows: Sequence[Mapping[str, float]], name: str) -> float:
    count = max(1, round(_LAST * len(rows)))
    return float(np.mean([row[name] for row in rows[-count:]]))


def _alarms(accuracy: float, margin: float, chosen: float) -> list[str]:
    advice = "Raise lr or epochs, or lower beta; if the loss jumps, lower lr."
    alarms: list[str] = []
    if accuracy <= 0.5:
        alarms.append(f"At the end the implicit reward prefers the better one of {accuracy:.0%} of the pairs. {advice}")
    if margin <= 0:
        alarms.append(f"At the end the implicit reward's mean margin is {margin:.3g}; above 0 is learning. {advice}")
    if chosen < 0:
        alarms.append(
            f"The better completions have become less likely too: their mean implicit reward ends at {chosen:.3g}. "
            "Only the difference is trained (arXiv 2402.13228). Lower lr, raise beta, or reject what the model itself "
            "would write (rejected: sampled)."
        )
    return alarms
