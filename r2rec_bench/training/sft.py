"""Supervised fine-tuning on traces."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from r2rec_bench.core.config import Tune
from r2rec_bench.core.errors import InputError
from r2rec_bench.core.texts import Trace
from r2rec_bench.llm.base import Checkpoint
from r2rec_bench.training.base import Stage, StageContext, StageResult, stages
from r2rec_bench.training.loop import LoopConfig


class SftConfig(LoopConfig):
    """The defaults are for adapters of pretrained LLMs."""

    examples: Annotated[int, Field(ge=1)] | None = None
    """Traces used, from the first; none uses all."""
    epochs: Annotated[float, Field(gt=0), Tune(1, 5)] = 1.0
    batch_size: Annotated[int, Field(ge=1)] = 32
    """Traces per pass."""
    group_by_length: bool = False
    """Put traces of like length together: less padding, less varied batches."""
    packing: bool = False
    """Let short traces of a pass share rows as long as its longest one, none seeing another: the same updates with less
    padding. It pays where lengths differ much, and little where they are alike, as in the compact wording."""
    compile: bool = False
    """Have torch.compile make one program of the model first: of `nano` on a CPU that takes half a minute, which is won
    back after some 55,000 traces, and results round otherwise."""


@stages.register("sft")
class Sft(Stage):
    """Supervised fine-tuning on traces, loss on the completion only, through TRL's SFTTrainer and PEFT's LoRA.

    Source: R2Rec (arXiv 2506.05069), stage 1; TRL.
    """

    config: SftConfig

    def run(self, start: Checkpoint, traces: Sequence[Trace], out: Path, context: StageContext) -> StageResult:
        from r2rec_bench.training.trl.session import opened
        from r2rec_bench.training.trl.supervised import fine_tune

        chosen = traces[: self.config.examples]
        if not chosen:
            raise InputError("sft: no traces to learn from; see what the trace filters dropped")
        with opened("sft", start, out, self.config, context) as session:
            fine_tune(
                session,
                session.lm.encode([trace.prompt for trace in chosen]),
                session.lm.encode_completions([trace.completion for trace in chosen]),
                epochs=self.config.epochs,
                batch_size=self.config.batch_size,
                order="group_by_length" if self.config.group_by_length else "random",
                packing=self.config.packing,
                compiled=self.config.compile,
            )
        notes = {"loss_first": session.rows[0]["loss"], "loss_last": session.rows[-1]["loss"]}
        return StageResult(tuple(session.rows), (), len(chosen), session.tokens, notes)
