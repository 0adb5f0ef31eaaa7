"""TRL's supervised trainer on token ids, with a loss that costs what it must."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from r2rec_bench.core.errors import InputError
from r2rec_bench.llm.prefixes import TokenIds
from r2rec_bench.training.trl.batches import IGNORED, Layout, collate, packed, reads_apart, share_of
from r2rec_bench.training.trl.heads import completions_alone
from r2rec_bench.training.trl.session import Session

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.utils.data import DataLoader
    from trl.trainer.sft_trainer import SFTTrainer


def fine_tune(
    session: Session,
    prompts: Sequence[TokenIds],
    completions: Sequence[TokenIds],
    *,
    epochs: float,
    batch_size: int,
    order: Literal["random", "group_by_length"],
    packing: bool = False,
    compiled: bool = False,
) -> None:
    """Teach `session`'s model to write `completions` after `prompts`, and save it.

    Args:
        session: the opened checkpoint.
        prompts: token ids, (n,) of any lengths; no part of the loss.
        completions: token ids, (n,), end of turn included.
        epochs: passes over the examples.
        batch_size: examples per forward pass, of all processes together.
        order: shuffled, or shuffled among examples of like length, which saves padding.
        packing: whether examples of a pass share rows, none seeing another.
        compiled: whether the model is compiled before it is trained.

    Raises:
        R2RecError: a loss is not finite.
        InputError: the model does not read packed examples apart.
    """
    from datasets import Dataset
    from trl.trainer.sft_config import SFTConfig

    layout = _packing(session) if packing else collate
    rows = {
        "input_ids": [prompt + completion for prompt, completion in zip(prompts, completions, strict=True)],
        "prompt_length": [len(prompt) for prompt in prompts],
    }
    dataset = Dataset.from_dict(rows)

    def trainer_of(batch: int) -> SFTTrainer:
        args = SFTConfig(
            **session.arguments(),
            num_train_epochs=epochs,
            per_device_train_batch_size=batch,
            train_sampling_strategy=order,
            torch_compile=compiled,
            include_num_input_tokens_seen="non_padding",
            max_length=None,
            dataset_kwargs={"skip_prepare_dataset": True},
        )
        return _trainer_class(packing)(
            model=session.lm.model,
            args=args,
            train_dataset=dataset,
            data_collator=share_of(args.process_index, args.world_size, layout),
            processing_class=session.lm.tokenizer,
            peft_config=session.new_adapter,
        )

    with completions_alone():
        session.train(trainer_of, batch_size)


def _packing(session: Session) -> Layout:
    """How the session's model reads several examples in one row."""
    shape: Any = session.lm.model.config
    one_row = "flash_attention" in shape._attn_implementation
    if not reads_apart(session.lm.model, one_row=one_row):
        raise InputError(
            f"{session.stage}.packing: {type(session.lm.model).__name__} with {shape._attn_implementation} attention "
            "does not read the examples of a row apart. Set packing to false"
        )
    return partial(packed, one_row=one_row)


def _trainer_class(packing: bool) -> type[SFTTrainer]:
    from accelerate.data_loader import BatchSamplerShard
    from trl.trainer.sft_trainer import SFTTrainer

    class CompletionTrainer(SFTTrainer):
        """TRL's trainer, but on a CPU logits of padded batches are made for the columns of their completions only.

        TRL's own loss finds the labelled tokens wherever they are, which packed batches need, and adds entropy and
        accuracy, which take their time. And of several processes each goes through all batches, in the order of a
        single one, and takes its share of each.
        """

        def get_train_dataloader(self) -> DataLoader[Any]:
            loader = super().get_train_dataloader()
            shards = loader.batch_sampler
            if isinstance(shards, BatchSamplerShard):
                shards.num_processes, shards.process_index, shards.even_batches = 1, 0, False
                loader.rng_types = ["torch"]  # an order drawn from torch's own generator is that of the first process
            return loader

        def compute_loss(
            self,
            model: nn.Module,
            inputs: dict[str, torch.Tensor],
            return_outputs: bool = False,
            num_items_in_batch: torch.Tensor | int | None = None,
        ) -> torch.Tensor:
            if packing:
                del inputs["attention_mask"]  # by it tokens are counted; a model that is given one sees no packing
            if packing or inputs["input_ids"].device.type != "cpu":
                return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
            labels = inputs.pop("labels")
            # Processes average their gradients, and each has divided its sum by the labels of all.
            return completion_loss(model, inputs, labels, num_items_in_batch) * self.accelerator.num_processes

    return CompletionTrainer


def completion_loss(
    model: nn.Module, inputs: Mapping[str, torch.Tensor], labels: torch.Tensor, n_labels: torch.Tensor | int | None
) -> torch.Tensor:
    """Cross-entropy over the labelled tokens of a left-padded batch, summed and divided by `n_labels`.

    Args:
        model: a causal model.
        inputs: what it reads, (batch, length).
        labels: `IGNORED` or the token itself, int64 (batch, length).
        n_labels: labels of the whole update, which may span several batches; None counts this batch's.
    """
    import torch

    labelled = labels != IGNORED
    first = max(1, int(labelled.any(0).int().argmax()))  # nothing predicts the first token, nor is it ever labelled
    width = labels.shape[1] - first
    logits = model(**inputs, use_cache=False, logits_to_keep=width + 1).logits[:, :-1]
    scored = labelled[:, -width:]
    summed = torch.nn.functional.cross_entropy(logits[scored].float(), labels[:, -width:][scored], reduction="sum")
    return summed / (scored.sum() if n_labels is None else n_labels)
