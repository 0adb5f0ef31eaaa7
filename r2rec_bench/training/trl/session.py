"""A checkpoint opened for training: arguments, adapters, the log, and the plain folder that is written in the end."""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from r2rec_bench.core.errors import InputError, R2RecError
from r2rec_bench.core.seeds import derive
from r2rec_bench.core.signals import deferred
from r2rec_bench.llm.base import Checkpoint
from r2rec_bench.llm.loading import load_tokenizer
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.llm.shortage import free_memory, is_short_of_memory
from r2rec_bench.training.base import StageContext
from r2rec_bench.training.loop import LoopConfig, handoff_problem
from r2rec_bench.training.trl.adapters import kept_and_merged, new_adapter, reopened
from r2rec_bench.training.trl.checkpoints import Checkpoints
from r2rec_bench.training.trl.figures import figures
from r2rec_bench.training.trl.quiet import quiet

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler
    from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

_logger = logging.getLogger(__name__)
_MUST_BE_FINITE = ("loss", "grad_norm", "reward")


class Session:
    """One training run from `start` to `out`.

    Attributes:
        stage: its name, for seeds and messages.
        lm: the model in memory.
        new_adapter: the adapter that a trainer puts on it; None where it has one already, or all weights are trained.
        rows: what was logged, a row per update.
        tokens: read and written so far, padding not counted.
    """

    def __init__(self, stage: str, start: Checkpoint, out: Path, config: LoopConfig, context: StageContext) -> None:
        self.stage = stage
        self.rows: list[Mapping[str, float]] = []
        self.tokens = 0
        self._out = out
        self._config = config
        self._context = context
        lora = context.backbone.lora()
        handoff = config.handoff
        problem = handoff_problem(stage, handoff, adapters=lora is not None, inherited=start.adapter is not None)
        if problem:
            raise InputError(problem)
        _require_one_gpu(stage)
        self._start = start
        self._passes = config.gradient_accumulation
        self._adapted = lora is not None and handoff != "merge"
        self.lm = self._opened()
        self.new_adapter = new_adapter(lora) if lora is not None and handoff == "fresh" else None

    def _opened(self) -> LanguageModel:
        """The model as it is trained."""
        lm = self._loaded()
        self._saved_as = lm.model.dtype
        if not self._adapted:
            # In half precision the small updates of fine-tuning round to nothing; autocast keeps the speed.
            lm.model.float()
        return lm

    def _loaded(self) -> LanguageModel:
        start, options = self._start, self._context.backbone.load_options()
        if self._config.handoff == "continue":
            return LanguageModel(reopened(start, options), load_tokenizer(start, options))
        return LanguageModel.load(start, options)

    def share(self, count: int, key: str) -> int:
        """Of the `count` that a pass has of the setting `key`, those of one process.

        Raises:
            InputError: they cannot be shared evenly.
        """
        processes = int(os.environ.get("WORLD_SIZE", "1"))  # set for every process by whoever starts several
        if count % processes:
            raise InputError(
                f"{self.stage}.{key}: {count} per pass cannot be shared evenly by {processes} processes; use a "
                f"multiple of {processes}, e.g. {-(-count // processes) * processes}"
            )
        return count // processes

    def arguments(self) -> dict[str, Any]:
        """What all trainers are told: local, silent, seeded, one log row per update, saving when they are told to."""
        import torch

        config = self._config
        seed = derive(self._context.seed, self.stage) % 2**31
        return {
            "output_dir": str(self._out),
            "learning_rate": config.lr,
            "warmup_steps": config.warmup,
            "lr_scheduler_type": "constant_with_warmup" if config.scheduler == "constant" else config.scheduler,
            "weight_decay": config.weight_decay,
            "max_grad_norm": config.max_grad_norm,
            "gradient_accumulation_steps": self._passes,
            "gradient_checkpointing": config.gradient_checkpointing,
            "bf16": self._saved_as is torch.bfloat16,
            "fp16": self._saved_as is torch.float16,
            "use_cpu": self.lm.model.device.type == "cpu",
            "seed": seed,
            "data_seed": seed,
            "logging_steps": 1,
            "logging_nan_inf_filter": False,
            "report_to": [],
            "save_strategy": "no",
            "disable_tqdm": True,
            "remove_unused_columns": False,
            "dataloader_pin_memory": False,
        }

    def train(self, trainer_of: Callable[[int], Trainer], batch: int) -> None:
        """Train, then write the model as a plain folder: an adapter merged, and kept beside the weights.

        Where memory is too short for a batch, the stage goes on from its last checkpoint with smaller ones, of which
        an update has more.

        Args:
            trainer_of: a new trainer whose forward pass has so many examples, made with the `arguments` of then.
            batch: how many it should have.

        Raises:
            R2RecError: a logged loss, gradient norm or reward is not finite, or memory is too short for one example.
            KeyboardInterrupt: SIGINT or SIGTERM came; there is a checkpoint of where that was.
        """
        trainer = self._trained(trainer_of, batch)
        while trainer is None:
            batch = self._lessen(batch)
            del self.lm
            free_memory()
            self.lm = self._opened()
            trainer = self._trained(trainer_of, batch)
        model: Any = self._gathered(trainer) if trainer.is_fsdp_enabled else trainer.model
        if trainer.is_world_process_zero():
            if self._adapted:
                model = kept_and_merged(model, Checkpoint(self._out))
            model.to(self._saved_as).save_pretrained(self._out)
            self.lm.tokenizer.save_pretrained(self._out)
        trainer.accelerator.wait_for_everyone()

    def _trained(self, trainer_of: Callable[[int], Trainer], batch: int) -> Trainer | None:
        """A trainer that has trained; None where memory was too short, and then nothing holds on to it any more."""
        from transformers import PrinterCallback

        trainer = trainer_of(batch)
        trainer.remove_callback(PrinterCallback)
        trainer.add_callback(self._journal())
        _reach_the_peak(trainer)
        self.rows.clear()
        try:
            if self._context.unfinished is None:
                trainer.train()
            else:
                with deferred() as stopping:
                    kept = Checkpoints(trainer, self._context.unfinished, self.rows, stopping)
                    trainer.train(resume_from_checkpoint=kept.newest())
        except RuntimeError as error:
            if trainer.args.world_size > 1 or not is_short_of_memory(error):
                raise
            return None
        return trainer

    def _lessen(self, batch: int) -> int:
        """A smaller batch of which several make up one of this size; an update is then of so many times as many.

        Raises:
            R2RecError: there is no smaller one.
        """
        if batch == 1:
            raise R2RecError(
                f"{self.stage}: memory is too short for one example at a time. Use gradient_checkpointing, shorter "
                "prompts, or a smaller backbone"
            )
        parts = next(parts for parts in range(2, batch + 1) if batch % parts == 0)
        self._passes *= parts
        _logger.warning(
            "%s: memory is too short for %d examples at a time; going on with %d, and %d times as many passes",
            self.stage, batch, batch // parts, parts,
        )  # fmt: skip
        return batch // parts

    def _gathered(self, trainer: Trainer) -> nn.Module | None:
        """The model whose weights FSDP has spread over the processes, whole again in the first of them."""
        weights = trainer.accelerator.get_state_dict(trainer.model_wrapped)
        if not trainer.is_world_process_zero():
            return None
        model: Any = self._loaded().model
        if self.new_adapter is not None:
            from peft import get_peft_model

            model = get_peft_model(model, self.new_adapter)
        if not self._adapted:
            model.float()
        model.load_state_dict(weights)
        return model

    def _journal(self) -> TrainerCallback:
        """Turns TRL's log into rows and progress, and stops at the first figure that is not finite."""
        from transformers import TrainerCallback

        session, report = self, self._context.report

        class Journal(TrainerCallback):
            last = time.perf_counter()

            def on_train_begin(
                self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
            ) -> None:
                self.last = time.perf_counter()
                session.tokens = state.num_input_tokens_seen

            def on_log(
                self,
                args: TrainingArguments,
                state: TrainerState,
                control: TrainerControl,
                logs: dict[str, Any] | None = None,
                **_: object,
            ) -> None:
                if logs is None or "loss" not in logs:  # the summary at the end
                    return
                now = time.perf_counter()
                tokens = state.num_input_tokens_seen - session.tokens
                row = {
                    "step": float(state.global_step),
                    **figures(logs),
                    "tokens_per_second": tokens / (now - self.last),
                }
                self.last = now
                session.tokens = state.num_input_tokens_seen
                session.check(row, state.global_step)
                session.rows.append(row)
                report(state.global_step, state.max_steps, row)

        return Journal()

    def check(self, figures: Mapping[str, float], step: int) -> None:
        """Raise R2RecError unless loss, gradient norm and rewards are finite."""
        for name, value in figures.items():
            if name.startswith(_MUST_BE_FINITE) and not math.isfinite(value):
                raise R2RecError(
                    f"{self.stage}: {name} is {value} at step {step}; expected a finite number. "
                    f"Lower lr ({self._config.lr:g}) or max_grad_norm ({self._config.max_grad_norm:g})."
                )


def _require_one_gpu(stage: str) -> None:
    """Raise InputError where a single process sees several GPUs, over which TRL's trainers spread no model."""
    import torch

    gpus = torch.cuda.device_count()
    if gpus > 1 and "WORLD_SIZE" not in os.environ:
        raise InputError(
            f"{stage}: one process trains on one GPU, and this one sees {gpus}. Show it one (CUDA_VISIBLE_DEVICES=0), "
            "or train on all of them (launch: accelerate:experiments/launch/multi-gpu.yaml)"
        )


def _reach_the_peak(trainer: Trainer) -> None:
    """Keep the warm-up, whose first update has learning rate 0, from taking all updates: a single one would do nothing.

    How many there are is known only where the schedule is made.
    """
    create = trainer.create_scheduler

    def shortened(num_training_steps: int, optimizer: Optimizer | None = None) -> LRScheduler:
        steps = trainer.args.get_warmup_steps(num_training_steps)
        trainer.args.warmup_steps = min(steps, num_training_steps - 1)
        return create(num_training_steps, optimizer)

    trainer.create_scheduler = shortened


@contextmanager
def opened(stage: str, start: Checkpoint, out: Path, config: LoopConfig, context: StageContext) -> Generator[Session]:
    """A session inside which the Hugging Face libraries neither talk nor reach for the network."""
    with quiet():
        yield Session(stage, start, out, config, context)
