"""TRL's GRPO trainer on token ids: the prompts sampled are, token for token, those that are scored elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from r2rec_bench.core.types import FloatArray
from r2rec_bench.llm.model import TokenIds
from r2rec_bench.training.trl.session import Session

if TYPE_CHECKING:
    from trl.trainer.grpo_trainer import GRPOTrainer

Judge = Callable[[Sequence[int], Sequence[str]], Mapping[str, FloatArray]]
"""Rewards by name, float64 (n,), of completions: (rows of the prompts they answer, their texts)."""


def reinforce(
    session: Session,
    prompts: Sequence[TokenIds],
    judge: Judge,
    weights: Mapping[str, float],
    *,
    steps: int,
    prompts_per_step: int,
    group: int,
    beta: float,
    temperature: float,
    max_new_tokens: int,
) -> None:
    """Reward what `session`'s model writes after `prompts`, and save it.

    With adapters, the reference of the KL term is the model without them, that is the checkpoint opened; without, it
    is a second copy of that checkpoint.

    Args:
        session: the opened checkpoint.
        prompts: token ids, (n,) of any lengths.
        judge: says what completions are worth.
        weights: of each of `judge`'s rewards in the sum.
        steps: updates.
        prompts_per_step: prompts answered before an update.
        group: completions of each, compared with each other.
        beta: weight of the KL term.
        temperature: of sampling.
        max_new_tokens: completions are cut here; they end at the end of turn.

    Raises:
        R2RecError: a loss or reward is not finite.
    """
    from datasets import Dataset
    from trl.trainer.grpo_config import GRPOConfig
    from trl.trainer.grpo_trainer import GRPOTrainer

    arguments = session.arguments()
    completions_per_pass = prompts_per_step * group // arguments["gradient_accumulation_steps"]

    def roll_out(keys: list[str], trainer: GRPOTrainer) -> dict[str, Any]:
        rows = [int(key) for key in keys]
        asked = [prompts[row] for row in rows]
        written = sample(trainer, asked)
        rewards = judge(rows, session.lm.decode(written))
        for name, values in rewards.items():
            session.check({f"reward/{name}": float(values.sum())}, trainer.state.global_step + 1)
        judged = {name: values.tolist() for name, values in rewards.items()}
        return {"prompt_ids": asked, "completion_ids": written, "logprobs": None, **judged}

    trainer = GRPOTrainer(
        model=session.lm.model,
        reward_funcs=[_looked_up(name) for name in weights],
        args=GRPOConfig(
            **arguments,
            reward_weights=list(weights.values()),
            max_steps=steps,
            per_device_train_batch_size=completions_per_pass,
            num_generations=group,
            beta=beta,
            temperature=temperature,
            max_completion_length=max_new_tokens,
            # A broken model must get as far as the check of its loss, which names the step.
            generation_kwargs={"remove_invalid_values": True},
            loss_type="grpo",
            disable_dropout=True,
        ),
        train_dataset=Dataset.from_dict({"prompt": [str(row) for row in range(len(prompts))]}),
        processing_class=session.lm.tokenizer,
        peft_config=session.adapter(),
        rollout_func=roll_out,
    )
    session.train(trainer)


def _looked_up(name: str) -> Callable[..., list[float | None]]:
    """A reward function for TRL, which asks for each reward apart: the judge has given them all already."""

    def reward(**known: list[float | None]) -> list[float | None]:
        return known[name]

    reward.__name__ = name
    return reward


def sample(trainer: GRPOTrainer, prompts: Sequence[TokenIds]) -> list[TokenIds]:
    """A sampled continuation of each prompt, up to and including the end of turn."""
    import torch
    from trl.models.utils import unwrap_model_for_generation

    width = max(len(prompt) for prompt in prompts)
    device = trainer.accelerator.device
    ids = torch.tensor([[0] * (width - len(prompt)) + prompt for prompt in prompts], device=device)
    mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts], device=device)
    checkpointing = cast("dict[str, Any] | None", trainer.args.gradient_checkpointing_kwargs)
    with (
        unwrap_model_for_generation(
            trainer.model_wrapped, trainer.accelerator, gradient_checkpointing_kwargs=checkpointing
        ) as model,
        torch.no_grad(),
    ):
        written = model.generate(input_ids=ids, attention_mask=mask, generation_config=trainer.generation_config)
    ends = cast("Sequence[int]", trainer.eos_token_ids)
    return [_ended(one, ends) for one in written[:, width:].tolist()]


def _ended(ids: TokenIds, ends: Sequence[int]) -> TokenIds:
    """`ids` up to and including the first of `ends`."""
    end = next((place for place, token in enumerate(ids) if token in ends), len(ids) - 1)
    return ids[: end + 1]
