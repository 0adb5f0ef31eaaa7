"""What a stage is: Checkpoint → Checkpoint, so that leaving one out is the same code with a shorter list."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from r2rec_bench.core.registry import Component, Registry
from r2rec_bench.core.texts import Trace
from r2rec_bench.core.unfinished import Unfinished
from r2rec_bench.llm.base import Backbone, Checkpoint
from r2rec_bench.prompts.base import PromptStrategy
from r2rec_bench.prompts.wording import Wording

Report = Callable[[int, int, Mapping[str, float]], None]
"""Progress: (step, steps in all, figures such as loss, reward, tokens_per_second)."""


@dataclass(frozen=True, slots=True)
class StageContext:
    """What a stage needs beside its own settings.

    Attributes:
        backbone: how checkpoints are loaded, and which adapters are trained.
        strategy: reads completions, for rewards.
        wording: of prompts and completions.
        outcomes: the answers allowed.
        seed: for shuffling, sampling and initialisation.
        report: called as the stage goes on.
        unfinished: what the stage keeps to go on from after an interruption; without, it is begun again then.
    """

    backbone: Backbone
    strategy: PromptStrategy
    wording: Wording
    outcomes: tuple[int, ...]
    seed: int
    report: Report
    unfinished: Unfinished | None = None


@dataclass(frozen=True, slots=True)
class StageResult:
    """What a stage did.

    Attributes:
        log: a row per logged step: step, loss, reward and its parts, tokens_per_second.
        alarms: what looked wrong, e.g. groups without variance; each once, in words.
        examples: training examples, or prompts rolled out.
        tokens: tokens trained on.
        notes: figures of the whole stage, and how it went about its work.
    """

    log: tuple[Mapping[str, float], ...]
    alarms: tuple[str, ...]
    examples: int
    tokens: int
    notes: Mapping[str, float | str] = field(default_factory=dict[str, float | str])


class Stage(Component):
    """One step of training."""

    code: ClassVar[tuple[str, ...]] = ()
    """Modules and packages, by full name, that decide its result beside `training` and what it is given."""

    def require_machine(self) -> None:
        """Raise InputError if this machine lacks what the settings ask for; asked before any stage is trained."""

    @abstractmethod
    def run(self, start: Checkpoint, traces: Sequence[Trace], out: Path, context: StageContext) -> StageResult:
        """Train from `start` on `traces` and write the new checkpoint into the empty folder `out`.

        Raises:
            R2RecError: the loss or a reward is not finite.
        """


stages: Registry[Stage] = Registry("stages", "training stage", Stage, "r2rec_bench.training")
