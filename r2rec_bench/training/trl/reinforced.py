"""TRL's GRPO and RLOO trainers on token ids: the prompts sampled are, token for token, those scored elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.types import FloatArray
from r2rec_bench.llm.memory import read, remembers
from r2rec_bench.llm.prefixes import TokenIds
from r2rec_bench.llm.writing import write
from r2rec_bench.training.trl.heads import completions_alone
from r2rec_bench.training.trl.session import Session

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, TrainerState
    from trl.trainer.grpo_config import GRPOConfig
    from trl.trainer.grpo_trainer import GRPOTrainer
    from trl.trainer.rloo_config import RLOOConfig
    from trl.trainer.rloo_trainer import RLOOTrainer

Judge = Callable[[Sequence[int], Sequence[str]], Mapping[str, FloatArray]]
"""Rewards by name, float64 (n,), of completions: (rows of the prompts they answer, their texts)."""


def reinforce(
    session: Session,
    prompts: Sequence[TokenIds],
    judge: Judge,
    weights: Mapping[str, float],
    *,
    algorithm: Literal["grpo", "rloo"],
    steps: int,
    prompts_per_pass: int,
    group: int,
    beta: float,
    temperature: float,
    max_new_tokens: int,
) -> None:
    """Reward what `session`'s model writes after `prompts`, and save it.

    The reference of the KL term is the checkpoint opened: the model without its new adapter, or with a frozen copy of
    the adapter that is trained on, or, where all weights are trained, a second model.

    Args:
        session: the opened checkpoint.
        prompts: token ids, (n,) of any lengths.
        judge: says what completions are worth.
        weights: of each of `judge`'s rewards in the sum.
        algorithm: how the rewards of a group become an update.
        steps: updates.
        prompts_per_pass: prompts answered in a forward pass, of all processes together.
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
    from trl.trainer.rloo_config import RLOOConfig

    settings: dict[str, Any] = {
        "reward_weights": list(weights.values()),
        "max_steps": steps,
        "num_generations": group,
        "beta": beta,
        "temperature": temperature,
        "max_completion_length": max_new_tokens,
        # A broken model must get as far as the check of its loss, which names the step.
        "generation_kwargs": {"remove_invalid_values": True},
        "disable_dropout": True,
    }
    # TRL is given the rows of the prompts for prompts, and asks for the token ids when it writes.
    rows = Dataset.from_dict({"prompt": [str(row) for row in range(len(prompts))]})

    def asked(keys: Sequence[str]) -> list[TokenIds]:
        return [prompts[int(key)] for key in keys]

    def roll_out(keys: list[str], trainer: GRPOTrainer) -> dict[str, Any]:
        ids = asked(keys)
        return {"prompt_ids": ids, "completion_ids": sample(trainer, ids), "logprobs": None}

    def trainer_of(batch: int) -> GRPOTrainer | RLOOTrainer:
        arguments: dict[str, Any] = session.arguments() | settings | {"per_device_train_batch_size": batch}
        parts: dict[str, Any] = {
            "model": session.lm.model,
            "reward_funcs": _rewards(session, judge, weights, group),
            "train_dataset": rows,
            "processing_class": session.lm.tokenizer,
            "peft_config": session.new_adapter,
        }
        if algorithm == "grpo":
            trainer = GRPOTrainer(args=GRPOConfig(**arguments, loss_type="grpo"), rollout_func=roll_out, **parts)
        else:
            trainer = _rloo_trainer(asked)(args=RLOOConfig(**arguments), **parts)
        if trainer.is_fsdp_enabled:
            raise InputError(
                f"{algorithm}: FSDP spreads the weights that completions are written with; launch it without"
            )
        return trainer

    # A process has whole groups, whose completions are compared.
    with completions_alone():
        session.train(trainer_of, session.share(prompts_per_pass, "prompts") * group)


def _rewards(
    session: Session, judge: Judge, weights: Mapping[str, float], group: int
) -> list[Callable[..., list[float]]]:
    """Reward functions for TRL, which asks for each reward apart, in order: the first has the judge give them all."""
    given: dict[str, FloatArray] = {}
    first = next(iter(weights))

    def judged(
        prompts: list[str], completions: list[str], state: TrainerState, log_metric: Callable[[str, float], None]
    ) -> None:
        given.update(judge([int(key) for key in prompts], completions))
        for name, values in given.items():
            session.check({f"reward/{name}": float(values.sum())}, state.global_step + 1)
        total = np.sum([weights[name] * values for name, values in given.items()], axis=0)
        spread = total.reshape(-1, group).std(1)
        # TRL's own share counts a KL term among RLOO's rewards, which then differ in any group.
        log_metric("zero_variance", float(np.isclose(spread, 0).mean()))

    def function(name: str) -> Callable[..., list[float]]:
        def reward(
            prompts: list[str],
            completions: list[str],
            trainer_state: TrainerState,
            log_metric: Callable[[str, float], None],
            **_: object,
        ) -> list[float]:
            if name == first:
                judged(prompts, completions, trainer_state, log_metric)
            return given[name].tolist()

        reward.__name__ = name
        return reward

    return [function(name) for name in weights]


def _rloo_trainer(asked: Callable[[Sequence[str]], list[TokenIds]]) -> type[RLOOTrainer]:
    from trl.trainer.rloo_trainer import RLOOTrainer

    class TokenTrainer(RLOOTrainer):
        """TRL's trainer, but prompts are looked up, not tokenised, and sampled as GRPO's: it has no hook for that."""

        def _tokenize_prompts(self, prompts: list[str]) -> tuple[list[TokenIds], None, dict[str, Any]]:
            return asked(prompts), None, {}

        def _generate_single_turn(
            self, prompt_ids: list[TokenIds], images: None, multimodal_fields: dict[str, Any]
        ) -> list[TokenIds]:
            return sample(self, prompt_ids)

    return TokenTrainer


def sample(trainer: GRPOTrainer | RLOOTrainer, prompts: Sequence[TokenIds]) -> list[TokenIds]:
    """A sampled continuation of each prompt, up to and including the end of turn; a prompt given often is read once."""
    import torch
    from trl.models.utils import unwrap_model_for_generation

    checkpointing = cast("dict[str, Any] | None", trainer.args.gradient_checkpointing_kwargs)
    with (
        unwrap_model_for_generation(
            trainer.model_wrapped, trainer.accelerator, gradient_checkpointing_kwargs=checkpointing
        ) as model,
        torch.no_grad(),
    ):
        if not remembers(model):
            return _generated(trainer, model, prompts)
        args = cast("GRPOConfig | RLOOConfig", trainer.args)
        most = cast("int", args.max_completion_length)
        return sampled(model, prompts, cast("Sequence[int]", trainer.eos_token_ids), args.temperature, most)


def sampled(
    model: PreTrainedModel, prompts: Sequence[TokenIds], ends: Sequence[int], temperature: float, most: int
) -> list[TokenIds]:
    """As `sample`, by a model that `remembers`: the draws are those of transformers' own generation.

    Args:
        model: what writes.
        prompts: token ids, (n,) of any lengths.
        ends: tokens that end a completion.
        temperature: of sampling.
        most: tokens of a completion.
    """
    import torch

    memory, logits = read(model, prompts)
    stops = torch.tensor(ends, device=logits.device)

    def choose(logits: torch.Tensor, rows: torch.Tensor, written: int) -> torch.Tensor:
        # A broken model must get as far as the check of its loss, which names the step.
        shares = (logits.nan_to_num() / temperature).softmax(-1)
        # As torch draws of many; numbers for the completions that have ended too, so that they move no others.
        numbers = torch.empty((len(prompts), shares.shape[-1]), device=shares.device).exponential_()
        return (shares / numbers[rows]).argmax(-1)

    def ended(written: torch.Tensor) -> torch.Tensor:
        return torch.isin(written[:, -1], stops)

    out: list[TokenIds] = [[] for _ in prompts]
    for some in write(memory, logits, choose, ended, most):
        for row, ids in some.texts:
            out[row] = ids
    return out


def _generated(
    trainer: GRPOTrainer | RLOOTrainer, model: PreTrainedModel, prompts: Sequence[TokenIds]
) -> list[TokenIds]:
    """By transformers' own generation."""
    import torch

    width = max(len(prompt) for prompt in prompts)
    device = trainer.accelerator.device
    ids = torch.tensor([[0] * (width - len(prompt)) + prompt for prompt in prompts], device=device)
    mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts], device=device)
    written: Any = cast("Any", model).generate(
        input_ids=ids, attention_mask=mask, generation_config=trainer.generation_config
    )
    ends = cast("Sequence[int]", trainer.eos_token_ids)
    return [_ended(one, ends) for one in written[:, width:].tolist()]


def _ended(ids: TokenIds, ends: Sequence[int]) -> TokenIds:
    """`ids` up to and including the first of `ends`."""
    end = next((place for place, token in enumerate(ids) if token in ends), len(ids) - 1)
    return ids[: end + 1]
