"""A step of GRPO beside what it is made of, and what reading and rewarding completions takes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from r2rec_bench.bench.base import Measurement, Runs, at_most, seconds, side_by_side, times
from r2rec_bench.bench.scoring import questions
from r2rec_bench.core.texts import Prompt, Trace
from r2rec_bench.core.types import NONE_RATING, RATINGS, FloatArray, Query
from r2rec_bench.llm.nano import Nano
from r2rec_bench.llm.prefixes import TokenIds
from r2rec_bench.prompts.compact import Compact
from r2rec_bench.prompts.progressive_mask import ProgressiveMask
from r2rec_bench.training.base import Report, StageContext
from r2rec_bench.training.grpo import GrpoConfig
from r2rec_bench.training.judge import Judge, default_rewards

if TYPE_CHECKING:
    import torch
    from transformers import GenerationConfig, PreTrainedModel

PROMPTS, GROUP, READ, WRITTEN, COMPLETIONS = 16, 8, 54, 28, 10_000
LR, BETA = 1e-4, 0.001


def measure(scale: float) -> Iterator[Measurement]:
    """Steps of the quickstart's size with the nano model, on one core."""
    steps = max(3, round(8 * scale))
    prompts = questions(PROMPTS * steps, 1, READ - 1)
    # In turns: a load that comes and goes falls on both.
    rounds = [(stage(prompts, steps), bare(prompts, steps)) for _ in range(max(1, round(4 * scale)))]
    ours, plain = (tuple(chain.from_iterable(runs)) for runs in zip(*rounds, strict=True))
    yield Measurement(
        f"A GRPO step: {PROMPTS} prompts of {READ} tokens × {GROUP} completions of up to {WRITTEN}, by nano",
        "s",
        ours,
        plain,
        "its generation, forward of policy and reference, backward and AdamW in a bare loop",
        times(1 / 1.2),
    )
    yield written(prompts[:PROMPTS], max(1, round(3 * scale)))
    asked = [question(user) for user in range(max(10, round(COMPLETIONS * scale)))]
    judge = Judge(default_rewards(), context(lambda step, n, figures: None))
    said = [trace.completion for trace in asked]
    taken = tuple(seconds(lambda: judge(said, asked)) for _ in range(3))
    yield Measurement(f"{len(asked):,} completions parsed and rewarded", "s", taken, target=at_most(1))


def written(prompts: Sequence[TokenIds], runs: int) -> Measurement:
    """Completions as a CPU writes them, beside the way that it is not given unless it is asked for."""
    import torch

    from r2rec_bench.llm.loading import load_model
    from r2rec_bench.training.trl.rollouts import continued, sampled

    backbone = Nano()
    model = load_model(backbone.checkpoint(), backbone.load_options()).eval()
    group, config = [prompt for prompt in prompts for _ in range(GROUP)], writing(model)

    @torch.no_grad()
    def batched() -> None:
        sampled(model, group, config)

    def continuous() -> None:
        continued(model, group, config)

    batched()
    continuous()
    ours, plain = side_by_side(batched, continuous, runs)
    name = f"{len(group)} completions of up to {WRITTEN} tokens written for {len(prompts)} prompts, by nano"
    return Measurement(name, "s", ours, plain, "transformers' continuous batching")


def writing(model: PreTrainedModel) -> GenerationConfig:
    """As TRL's trainer would have completions written."""
    from transformers import GenerationConfig

    end: Any = model.config.eos_token_id
    return GenerationConfig(max_new_tokens=WRITTEN, do_sample=True, temperature=1.0, top_k=0, eos_token_id=[end])


def stage(prompts: Sequence[TokenIds], steps: int) -> Runs:
    """Seconds of each step but the first, of the stage as it is."""
    from r2rec_bench.training.trl.reinforced import reinforce
    from r2rec_bench.training.trl.session import opened

    ends: list[float] = []

    def told(step: int, n: int, figures: Mapping[str, float]) -> None:
        ends.append(time.perf_counter())

    rng = np.random.default_rng(0)

    def judge(rows: Sequence[int], completions: Sequence[str]) -> dict[str, FloatArray]:
        return {"chance": rng.random(len(completions))}

    config = GrpoConfig(lr=LR, beta=BETA)
    with (
        TemporaryDirectory() as folder,
        opened("grpo", Nano().checkpoint(), Path(folder), config, context(told)) as session,
    ):
        reinforce(
            session,
            prompts,
            judge,
            {"chance": 1.0},
            algorithm="grpo",
            way="batched",
            steps=steps,
            prompts_per_pass=PROMPTS,
            group=GROUP,
            beta=BETA,
            temperature=1.0,
            max_new_tokens=WRITTEN,
        )
    return tuple(np.diff(ends).tolist())


def bare(prompts: Sequence[TokenIds], steps: int) -> Runs:
    """Seconds of each step but the first, of the same sizes and nothing around them."""
    import torch

    from r2rec_bench.llm.loading import load_model
    from r2rec_bench.training.trl.rollouts import sampled

    backbone = Nano()
    policy, reference = (load_model(backbone.checkpoint(), backbone.load_options()) for _ in range(2))
    optimiser = torch.optim.AdamW(policy.parameters(), lr=LR)
    config = writing(policy)
    [end] = cast("list[int]", config.eos_token_id)

    def log_p(model: PreTrainedModel, ids: torch.Tensor) -> torch.Tensor:
        out: Any = model(input_ids=ids, use_cache=False, logits_to_keep=WRITTEN + 1)
        return out.logits[:, :-1].log_softmax(-1).gather(-1, ids[:, -WRITTEN:, None])[..., 0]

    def step(asked: Sequence[TokenIds]) -> None:
        group = [prompt for prompt in asked for _ in range(GROUP)]
        with torch.no_grad():
            written = sampled(policy, group, config)
            ids = torch.tensor(
                [prompt + one + [end] * (WRITTEN - len(one)) for prompt, one in zip(group, written, strict=True)]
            )
            frozen = log_p(reference, ids)
        own = log_p(policy, ids)
        apart = frozen - own
        loss = (torch.randn(len(ids), 1) * own - BETA * (apart.exp() - apart - 1)).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()

    return tuple(seconds(lambda k=k: step(prompts[k * PROMPTS : (k + 1) * PROMPTS])) for k in range(steps))[1:]


def context(report: Report) -> StageContext:
    """That of a stage with the nano model."""
    return StageContext(Nano(), ProgressiveMask(), Compact(), (NONE_RATING, *RATINGS), 0, report)


def question(user: int) -> Trace:
    """A question with eight pieces of evidence and a finished completion, in the compact wording."""
    rng = np.random.default_rng(user)
    pieces = tuple(f"#{k} r{rng.integers(1, 6)} L1.5 F3 m4.5" for k in range(1, 9))
    outcomes = (NONE_RATING, *RATINGS)
    prompt = Prompt("", "u3.75 n8.5 m4.25", pieces, "[MASK] touch think", Compact.mask, 0, 54, outcomes)
    answer = int(rng.integers(6))
    thoughts = " ".join(f"#{k} w+1 f{rng.integers(6)}" for k in range(1, 9))
    said = f"<think> {thoughts} </think> <answer> ={answer}"
    return Trace(Query(user, 0, 0), 1, prompt, (), said, answer, tuple(rng.integers(0, 6, 8).tolist()))
