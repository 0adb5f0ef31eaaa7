"""The model's own completions, compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self, cast

import numpy as np
from pydantic import Field, model_validator

from r2rec_bench.core.config import Config, Tune
from r2rec_bench.core.seeds import derive
from r2rec_bench.core.texts import Trace
from r2rec_bench.core.types import FloatArray
from r2rec_bench.llm.model import LanguageModel, TokenIds
from r2rec_bench.llm.sampling import Sampling
from r2rec_bench.training.base import StageContext
from r2rec_bench.training.judge import Judge, WeightedReward, default_rewards, require_each_once
from r2rec_bench.training.pairs.base import Pair, Paired, PairMaker, pair_makers

_JUDGED_TOGETHER = 64
"""Prompts in a batch for the judge, as some rewards compare the answers of a batch."""


class SampledConfig(Config):
    """How much is sampled, and what is better."""

    rewards: Annotated[tuple[WeightedReward, ...], Field(min_length=1)] = Field(default_factory=default_rewards)
    """What is maximised: a weighted sum."""
    samples: Annotated[int, Field(ge=2, le=256), Tune(4, 16)] = 8
    """Completions of each prompt."""
    temperature: Annotated[float, Field(gt=0, le=2), Tune(0.6, 1.2)] = 1.0
    margin: Annotated[float, Field(gt=0), Tune(0.05, 1.0)] = 0.1
    """Least difference of the weighted rewards that makes a preference."""
    max_completion: Annotated[int, Field(ge=1)] | None = None
    """Tokens after which a completion is cut; none is what the wording needs."""
    truncation_alarm: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Alarm when more than this share of completions is cut before its end of turn."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        require_each_once(self.rewards)
        return self


@pair_makers.register("sampled")
class Sampled(PairMaker):
    """The best against the worst of what the checkpoint itself samples, by weighted rewards.

    A prompt whose best and worst are nearer than the margin has no pair. A completion that was cut can only be
    rejected.

    Source: DPO (arXiv 2305.18290), whose preferences are between samples of the reference; rewards for raters as in
    best-of-n data, this project's choice.
    """

    config: SampledConfig

    def pair(self, traces: Sequence[Trace], model: LanguageModel, context: StageContext) -> Paired:
        c = self.config
        limit = c.max_completion or context.wording.completion_tokens(max(len(trace.prompt.pieces) for trace in traces))
        prompts = model.encode([trace.prompt for trace in traces])
        written = [self._sample(turn, prompts, limit, model, context) for turn in range(c.samples)]
        completions = [[turn[row] for turn in written] for row in range(len(traces))]
        worth = self._worth(traces, completions, model, context)
        ended = np.array([[len(ids) < limit for ids in row] for row in completions])
        best = np.where(ended, worth, -np.inf).argmax(1)
        worst = worth.argmin(1)
        end = cast("int", model.tokenizer.eos_token_id)
        pairs: list[Pair] = []
        for row, (good, bad) in enumerate(zip(best.tolist(), worst.tolist(), strict=True)):
            if ended[row, good] and worth[row, good] - worth[row, bad] >= c.margin:
                ids = completions[row]
                rejected = [*ids[bad], end] if ended[row, bad] else ids[bad]
                pairs.append(Pair(prompts[row], [*ids[good], end], rejected))
        cut = float(1 - ended.mean())
        alarm = (
            f"{cut:.0%} of the completions were cut at {limit} tokens (alarm above {c.truncation_alarm:.0%}). "
            "Raise max_completion, or run sft first."
        )
        notes = {"without_pair": float(len(traces) - len(pairs)), "truncated": cut, "reward": float(worth.mean())}
        return Paired(tuple(pairs), notes, (alarm,) if cut > c.truncation_alarm else ())

    def _sample(
        self, turn: int, prompts: Sequence[TokenIds], limit: int, model: LanguageModel, context: StageContext
    ) -> list[TokenIds]:
        """One completion of each prompt, without its end of turn."""
        done = turn * len(prompts)

        def progress(more: int) -> None:
            nonlocal done
            done += more
            context.report(done, self.config.samples * len(prompts), {})

        sampling = Sampling(self.config.temperature, derive(context.seed, "pairs", turn))
        end_of_turn = cast("str", model.tokenizer.eos_token)
        return model.generate(prompts, end_of_turn, limit, sampling=sampling, progress=progress)

    def _worth(
        self,
        traces: Sequence[Trace],
        completions: Sequence[Sequence[TokenIds]],
        model: LanguageModel,
        context: StageContext,
    ) -> FloatArray:
        """Weighted rewards, float64 (traces, samples)."""
        judge = Judge(self.config.rewards, context)
        parts: list[FloatArray] = []
        for first in range(0, len(traces), _JUDGED_TOGETHER):
            rows = range(first, min(first + _JUDGED_TOGETHER, len(traces)))
            texts = model.decode([ids for row in rows for ids in completions[row]])
            asked = [traces[row] for row in rows for _ in completions[row]]
            parts.append(judge.total(judge(texts, asked)))
        return np.concatenate(parts).reshape(len(traces), self.config.samples)
