"""TRL's supervised trainer on token ids, with a loss that costs what it must."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from r2rec_bench.llm.padding import padded, positions
from r2rec_bench.llm.prefixes import TokenIds
from r2rec_bench.training.trl.session import Session

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.utils.data import DataLoader
    from trl.trainer.sft_trainer import SFTTrainer

IGNORED = -100
"""Label of a token that has no part in the loss."""


def fine_tune(
    session: Session,
    prompts: Sequence[TokenIds],
    completions: Sequence[TokenIds],
    *,
    epochs: float,
    batch_size: int,
    order: Literal["random", "group_by_length"],
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
        compiled: whether the model is compiled before it is trained.

    Raises:
        R2RecError: a loss is not finite.
    """
    from datasets import Dataset
    from trl.trainer.sft_config import SFTConfig

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
        return _trainer_class()(
            model=session.lm.model,
            args=args,
            train_dataset=dataset,
            data_collator=collate if args.world_size == 1 else share_of(args.process_index, args.world_size),
            processing_class=session.lm.tokenizer,
            peft_config=session.new_adapter,
        )

    session.train(trainer_of, batch_size)


def collate(batch: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
    """A batch padded on the left, so that all completions end together and only its last columns need logits.

    Args:
        batch: rows with `input_ids` and `prompt_length`.

    Returns:
        `input_ids`, `attention_mask`, `position_ids` and `labels`, int64 (batch, longest).
    """
    import torch

    ids, mask = padded([row["input_ids"] for row in batch])
    labels = torch.full_like(ids, IGNORED)
    for place, row in enumerate(batch):
        written = ids.shape[1] - len(row["input_ids"]) + row["prompt_length"]
        labels[place, written:] = ids[place, written:]
    return {"input_ids": ids, "attention_mask": mask, "position_ids": positions(mask), "labels": labels}


def share_of(process: int, processes: int) -> Callable[[Sequence[Mapping[str, Any]]], dict[str, torch.Tensor]]:
    """As `collate`, but of each batch the share of one of several processes.

    Where a batch has too few rows for all, the last processes get two tokens without a label, which teach nothing.
    """

    def collate_share(batch: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        size = -(-len(batch) // processes)
        own = batch[process * size : (process + 1) * size]
        return collate(own or [{"input_ids": batch[0]["input_ids"][:2], "prompt_length": 2}])

    return collate_share


def _trainer_class() -> type[SFTTrainer]:
    from accelerate.data_loader import BatchSamplerShard
    from trl.trainer.sft_trainer import SFTTrainer

    class CompletionTrainer(SFTTrainer):
        """TRL's trainer, but on a CPU logits are made for completions only.

        TRL's own loss is made for GPUs, where it skips the prompt; elsewhere it scores every position and adds entropy
        and accuracy, which takes a third of the time of a small model. And of several processes each goes through all
        batches, in the order of a single one, and takes its share of each.
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
            if inputs["input_ids"].device.type != "cpu":
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
