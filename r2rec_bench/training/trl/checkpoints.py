"""Checkpoints in the middle of a stage: the trainer's own, with what it leaves out, whole or not at all.

Weights are safetensors. The state of the optimiser, the schedule and the random generators is PyTorch's pickle, as the
Trainer writes it; it is read back with `weights_only`, which builds tensors and plain values and runs nothing.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from r2rec_bench.core.minutes import checkpoint_seconds
from r2rec_bench.core.unfinished import Unfinished

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.utils.data import DataLoader
    from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

_KIND = "update-"
_ROWS, _EPOCH = "rows.json", "epoch.safetensors"
_TORCH, _SAMPLER = "torch", "sampler"
_LEAST_BETWEEN = 20
"""Between checkpoints lies at least so many times what writing one took."""
_logger = logging.getLogger(__name__)


class Checkpoints:
    """Those of one trainer, kept now and then and when the run is to stop.

    Args:
        trainer: it is told by this when to save, and saves here.
        unfinished: where they are kept.
        rows: what was logged so far; of a resumed run all rows up to the checkpoint, put there before it begins.
        stopping: whether somebody has asked for an end.
    """

    def __init__(
        self,
        trainer: Trainer,
        unfinished: Unfinished,
        rows: list[Mapping[str, float]],
        stopping: Callable[[], bool],
    ) -> None:
        self._trainer: Any = trainer
        self._unfinished = unfinished
        self._rows = rows
        self._stopping = stopping
        self._seconds = checkpoint_seconds()
        self._due = time.monotonic() + self._seconds
        self._generator: torch.Generator | None = None
        self._epoch: dict[str, torch.Tensor] = {}
        self._resumed: dict[str, torch.Tensor] = {}
        self._trainer._save_checkpoint = self._save
        trainer.add_callback(self._callback())

    def newest(self) -> str | None:
        """The folder from which the trainer resumes; None where it begins."""
        from safetensors.torch import load_file

        kept = self._unfinished.newest(_KIND)
        if kept is None:
            return None
        self._rows[:] = json.loads((kept / _ROWS).read_text("utf-8"))
        self._resumed = load_file(kept / _EPOCH)
        (state,) = kept.glob("checkpoint-*")
        _logger.info("going on from the checkpoint %s", state)
        return str(state)

    def _callback(self) -> TrainerCallback:
        from transformers import TrainerCallback

        checkpoints = self

        class Keeping(TrainerCallback):
            def on_epoch_begin(
                self,
                args: TrainingArguments,
                state: TrainerState,
                control: TrainerControl,
                *,
                train_dataloader: DataLoader[Any],
                **_: object,
            ) -> None:
                checkpoints._begin_epoch(train_dataloader)

            def on_step_end(
                self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
            ) -> None:
                due, stop = checkpoints._decided()
                control.should_save = due or stop
                control.should_training_stop = control.should_training_stop or stop

        return Keeping()

    def _begin_epoch(self, loader: DataLoader[Any]) -> None:
        """Notes what decides the epoch's order; where it was begun before, that is first put back as it was then.

        The Trainer restores the generators as they were at the checkpoint, but draws the order before that.
        """
        import torch

        self._generator = _generator(loader)
        if self._resumed:
            torch.set_rng_state(self._resumed[_TORCH])
            if self._generator is not None:
                self._generator.set_state(self._resumed[_SAMPLER])
            self._resumed = {}
        self._epoch = _states(self._generator)

    def _decided(self) -> tuple[bool, bool]:
        """Whether a checkpoint is due, and whether to stop; of several processes the first decides for all."""
        decided = [time.monotonic() >= self._due, self._stopping()]
        if self._trainer.args.world_size > 1:
            from accelerate.utils import broadcast_object_list

            broadcast_object_list(decided)
        due, stop = decided
        return due, stop

    def _save(self, model: nn.Module, trial: None) -> None:
        """In place of the trainer's own: whole or not at all, and never what ends the run."""
        from safetensors import SafetensorError

        began = time.monotonic()
        step = self._trainer.state.global_step
        name = f"{_KIND}{step:09d}"
        if not self._trainer.is_world_process_zero():
            self._write(self._unfinished.partial(name))
            return
        try:
            self._unfinished.keep_newest(_KIND, name, self._write)
        except (OSError, RuntimeError, SafetensorError) as error:  # a full disk, in each library's words
            if self._trainer.args.world_size > 1:
                raise  # the other processes would wait for this one
            _logger.warning("no checkpoint after update %d; the run goes on without: %s", step, error)
        took = time.monotonic() - began
        self._due = time.monotonic() + max(self._seconds, _LEAST_BETWEEN * took if self._seconds else 0)

    def _write(self, folder: Path) -> None:
        """What this process has to say; all begin when the folder is there, and end together."""
        from safetensors.torch import save_file
        from transformers import Trainer

        trainer = self._trainer
        trainer.accelerator.wait_for_everyone()
        trainer.args.output_dir = str(folder)
        plain: Any = Trainer  # TRL's would write a model card as well
        plain._save_checkpoint(trainer, trainer.model, None)
        trainer.accelerator.wait_for_everyone()
        if trainer.is_world_process_zero():
            for path in folder.rglob("training_args.bin"):
                path.unlink()  # a pickle that nobody reads
            (folder / _ROWS).write_text(json.dumps(self._rows), "utf-8")
            ended = float(trainer.state.epoch).is_integer()  # the next epoch begins with what is now
            save_file(_states(self._generator) if ended else self._epoch, folder / _EPOCH)


def _generator(loader: DataLoader[Any]) -> torch.Generator | None:
    """The sampler's own, from which the order of each epoch is drawn; None where it draws from PyTorch's."""
    sampler: Any = loader.batch_sampler
    while hasattr(sampler, "batch_sampler"):  # one process's share of another
        sampler = sampler.batch_sampler
    return getattr(sampler.sampler, "generator", None)


def _states(generator: torch.Generator | None) -> dict[str, torch.Tensor]:
    import torch

    states = {_TORCH: torch.get_rng_state()}
    return states if generator is None else {**states, _SAMPLER: generator.get_state()}
