"""Reinforcement learning on rewards for whole completions: what its algorithms share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from r2rec_bench.core.config import Tune
from r2rec_bench.core.errors import InputError
from r2rec_bench.core.seeds import generator
from r2rec_bench.core.texts import Trace
from r2rec_bench.core.types import FloatArray
from r2rec_bench.llm.base import Checkpoint
from r2rec_bench.training.base import Stage, StageContext, StageResult
from r2rec_bench.training.judge import Judge, WeightedReward, default_rewards, require_each_once
from r2rec_bench.training.loop import LoopConfig

Way = Literal["vllm", "continuous", "batched"]
"""Of writing completions."""
Rollouts = Literal["auto", Way]


class ReinforcementConfig(LoopConfig):
    """The defaults are for pretrained LLMs; a small backbone wants a learning rate a hundred times as high."""

    lr: Annotated[float, Field(gt=0, lt=1), Tune(1e-7, 1e-3, log=True)] = 1e-6
    scheduler: Literal["constant", "linear", "cosine"] = "constant"
    rewards: Annotated[tuple[WeightedReward, ...], Field(min_length=1)] = Field(default_factory=default_rewards)
    """What is maximised: a weighted sum."""
    steps: Annotated[int, Field(ge=1)] = 100
    """Updates."""
    prompts: Annotated[int, Field(ge=1)] = 16
    """Prompts answered before each update."""
    group: Annotated[int, Field(ge=2, le=256), Tune(4, 16)] = 8
    """Completions of each prompt, compared with each other."""
    beta: Annotated[float, Field(ge=0), Tune(1e-4, 0.1, log=True)] = 0.001
    """Weight of the KL divergence from the checkpoint that the stage starts from."""
    temperature: Annotated[float, Field(gt=0, le=2), Tune(0.6, 1.2)] = 1.0
    max_completion: Annotated[int, Field(ge=1)] | None = None
    """Tokens after which a completion is cut; none is what the wording needs."""
    rollouts: Rollouts = "auto"
    """How completions are written. `vllm`: by vLLM on the same GPU; `continuous`: by transformers' continuous batching;
    `batched`: together, each leaving the batch when it ends; `auto`: vLLM where it is installed and there is a GPU,
    continuous batching on a GPU with FlashAttention, else batched."""
    zero_variance_alarm: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Alarm when more than this share of groups has one reward for all its completions: they teach nothing."""
    truncation_alarm: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Alarm when more than this share of completions is cut before its end of turn."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        require_each_once(self.rewards)
        if self.prompts % self.gradient_accumulation:
            raise ValueError(
                f"prompts ({self.prompts}) must be a multiple of gradient_accumulation ({self.gradient_accumulation})"
            )
        return self


class Reinforcement(Stage):
    """Samples groups of completions, rewards them, and makes the better ones likelier."""

    config: ReinforcementConfig
    algorithm: ClassVar[Literal["grpo", "rloo"]]
    """How a group becomes an update; also the stage's name in messages and seeds."""

    def require_machine(self) -> None:
        from r2rec_bench.training.trl.rollouts import refusal, without_vllm

        if self.config.rollouts == "vllm" and (problem := without_vllm()):
            raise refusal(self.algorithm, "vllm", problem)

    def run(self, start: Checkpoint, traces: Sequence[Trace], out: Path, context: StageContext) -> StageResult:
        from r2rec_bench.training.trl.reinforced import reinforce
        from r2rec_bench.training.trl.rollouts import way_of
        from r2rec_bench.training.trl.session import opened

        config, name = self.config, self.algorithm
        if len(traces) < config.prompts:
            raise InputError(
                f"{name}.prompts: {config.prompts} prompts a step, but only {len(traces)} traces to take them from; "
                f"lower it to {len(traces)} or make more traces"
            )
        order = generator(context.seed, name, "prompts").permutation(len(traces))
        chosen = [traces[row] for row in order[: config.steps * config.prompts]]
        limit = config.max_completion or context.wording.completion_tokens(
            max(len(trace.prompt.pieces) for trace in chosen)
        )
        judge = Judge(config.rewards, context)

        def judged(rows: Sequence[int], completions: Sequence[str]) -> dict[str, FloatArray]:
            return judge(completions, [chosen[row] for row in rows])

        with opened(name, start, out, config, context) as session:
            way = way_of(name, config.rollouts, session.lm.model)
            reinforce(
                session,
                session.lm.encode([trace.prompt for trace in chosen]),
                judged,
                judge.weights,
                algorithm=name,
                way=way,
                steps=config.steps,
                prompts_per_pass=config.prompts // config.gradient_accumulation,
                group=config.group,
                beta=config.beta,
                temperature=config.temperature,
                max_new_tokens=limit,
            )
        rows = session.rows
        notes = {"reward_first": rows[0]["reward"], "reward_last": rows[-1]["reward"], "rollouts": way}
        return StageResult(tuple(rows), self._alarms(rows, limit), len(chosen), session.tokens, notes)

    def _alarms(self, rows: Sequence[Mapping[str, float]], limit: int) -> tuple[str, ...]:
        alarms: list[str] = []
        flat = float(np.mean([row["zero_variance"] for row in rows]))
        if flat > self.config.zero_variance_alarm:
            alarms.append(
                f"{flat:.0%} of the groups had one reward for all {self.config.group} completions (alarm above "
                f"{self.config.zero_variance_alarm:.0%}): nothing is learnt from them. Raise temperature "
                f"({self.config.temperature:g}) or group, or use a reward with more than two values."
            )
        cut = float(np.mean([row["truncated"] for row in rows]))
        if cut > self.config.truncation_alarm:
            alarms.append(
                f"{cut:.0%} of the completions were cut at {limit} tokens (alarm above "
                f"{self.config.truncation_alarm:.0%}). Raise max_completion, or run sft first."
            )
        return tuple(alarms)
