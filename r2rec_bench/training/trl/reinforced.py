"""TRL's GRPO and RLOO trainers on token ids: the prompts sampled are, token for token, those scored elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.types import FloatArray
from r2rec_bench.llm.prefixes import TokenIds
from r2rec_bench.training.trl.heads import completions_alone
from r2rec_bench.training.trl.rollouts import rolled_out
from r2rec_bench.training.trl.session import Session

if TYPE_CHECKING:
    from transformers import TrainerState
    from trl.trainer.grpo_trainer import GRPOTrainer
    from trl.trainer.rloo_trainer import RLOOTrainer

    from r2rec_bench.training.reinforcement import Way

Judge = Callable[[Sequence[int], Sequence[str]], Mapping[str, FloatArray]]
"""Rewards by name, float64 (n,), of completions: (rows of the prompts they answer, their texts)."""


def reinforce(
    session: Session,
    prompts: Sequence[TokenIds],
    judge: Judge,
    weights: Mapping[str, float],
    *,
    algorithm: Literal["grpo", "rloo"],
    way: Way,
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
        way: of writing completions, as `rollouts.way_of` found it.
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
    from trl.trainer.rloo_config import RLOOConfig

    config_of: Callable[..., Any] = partial(GRPOConfig, loss_type="grpo") if algorithm == "grpo" else RLOOConfig
    settings: dict[str, Any] = {
        "reward_weights": list(weights.values()),
        "max_steps": steps,
        "num_generations": group,
        "beta": beta,
        "temperature": temperature,
        "max_completion_length": max_new_tokens,
        "disable_dropout": True,
    }
    if way == "vllm":
        longest = max(map(len, prompts)) + max_new_tokens
        settings |= {"use_vllm": True, "vllm_mode": "colocate", "vllm_max_model_length": longest}
    else:
        # A broken model must get as far as the check of its loss, which names the step.
        settings["generation_kwargs"] = {"remove_invalid_values": True}
    # TRL is given the rows of the prompts for prompts, and asks for the token ids when it writes.
    rows = Dataset.from_dict({"prompt": [str(row) for row in range(len(prompts))]})

    def asked(keys: Sequence[str]) -> list[TokenIds]:
        return [prompts[int(key)] for key in keys]

    def trainer_of(batch: int) -> GRPOTrainer | RLOOTrainer:
        trainer = _trainer_class(algorithm, asked, way)(
            model=session.lm.model,
            args=config_of(**session.arguments(), **settings, per_device_train_batch_size=batch),
            reward_funcs=_rewards(session, judge, weights, group),
            train_dataset=rows,
            processing_class=session.lm.tokenizer,
            peft_config=session.new_adapter,
        )
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


def _trainer_class(
    algorithm: Literal["grpo", "rloo"], asked: Callable[[Sequence[str]], list[TokenIds]], way: Way
) -> type[Any]:
    from trl.trainer.grpo_trainer import GRPOTrainer
    from trl.trainer.rloo_trainer import RLOOTrainer

    base: type[Any] = GRPOTrainer if algorithm == "grpo" else RLOOTrainer

    class TokenTrainer(base):
        """TRL's trainer, but prompts are looked up, not tokenised, and all ways of continuing them but vLLM are ours.

        TRL's own continuous batching rounds the weights for good where they are trained in full precision.
        """

        def _tokenize_prompts(self, prompts: list[str]) -> tuple[list[TokenIds], None, dict[str, Any]]:
            return asked(prompts), None, {}

        def _generate_single_turn(self, prompt_ids: list[TokenIds], *rest: object) -> object:
            if way == "vllm":
                return super()._generate_single_turn(prompt_ids, *rest)
            written = rolled_out(self, prompt_ids, way)
            return (written, None) if algorithm == "grpo" else written

    return TokenTrainer
