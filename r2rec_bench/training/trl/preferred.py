"""TRL's DPO trainer on token ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from r2rec_bench.training.pairs.base import Pair
from r2rec_bench.training.trl.heads import completions_alone
from r2rec_bench.training.trl.session import Session

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset
    from trl.trainer.dpo_config import DPOConfig
    from trl.trainer.dpo_trainer import DPOTrainer


def prefer(session: Session, pairs: Sequence[Pair], *, epochs: float, batch_size: int, beta: float) -> None:
    """Teach `session`'s model to prefer the better completion of each pair, and save it.

    The reference is the checkpoint opened: the model without its new adapter, or with a frozen copy of the adapter
    that is trained on, or, where all weights are trained, a second model.

    Args:
        session: the opened checkpoint.
        pairs: what is preferred to what.
        epochs: passes over the pairs.
        batch_size: pairs per forward pass, of all processes together.
        beta: weight of the KL divergence from the reference.

    Raises:
        R2RecError: a loss is not finite.
    """
    from datasets import Dataset
    from trl.trainer.dpo_config import DPOConfig
    from trl.trainer.dpo_trainer import DataCollatorForPreference

    rows = {
        "prompt_ids": [pair.prompt for pair in pairs],
        "chosen_ids": [pair.chosen for pair in pairs],
        "rejected_ids": [pair.rejected for pair in pairs],
    }
    dataset = Dataset.from_dict(rows)

    def trainer_of(batch: int) -> DPOTrainer:
        return _trainer_class()(
            model=session.lm.model,
            args=DPOConfig(
                **session.arguments(),
                num_train_epochs=epochs,
                per_device_train_batch_size=batch,
                beta=beta,
                disable_dropout=True,
                include_num_input_tokens_seen="non_padding",
                max_length=None,
            ),
            train_dataset=dataset,
            data_collator=DataCollatorForPreference(pad_token_id=0),  # any id will do: it is masked
            processing_class=session.lm.tokenizer,
            peft_config=session.new_adapter,
        )

    with completions_alone():
        session.train(trainer_of, session.share(batch_size, "batch_size"))


def _trainer_class() -> type[DPOTrainer]:
    from trl.trainer.dpo_trainer import DPOTrainer

    class TokenTrainer(DPOTrainer):
        """TRL's trainer, but without the templates and the tokenising: the rows are token ids already."""

        def _prepare_dataset(
            self,
            dataset: Dataset | IterableDataset,
            processing_class: object,
            args: DPOConfig,
            dataset_name: str,
        ) -> Dataset | IterableDataset:
            return dataset

    return TokenTrainer
