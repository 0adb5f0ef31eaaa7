"""How fast one model is fine-tuned, reinforced, writes and scores, by the project's own paths."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, cast

from r2rec_bench.bench.base import Measurement, Runs, Target, at_least, per_second, side_by_side
from r2rec_bench.bench.gpu.flops import flops_per_token, peak_flops
from r2rec_bench.bench.gpu.models import Load
from r2rec_bench.core.resources import peak_bytes
from r2rec_bench.files import TRACES
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.llm.padding import padded, positions
from r2rec_bench.llm.prefixes import TokenIds
from r2rec_bench.pipeline import Pipeline
from r2rec_bench.traces.store import read_traces
from r2rec_bench.training.base import Stage, StageContext
from r2rec_bench.training.grpo import Grpo, GrpoConfig
from r2rec_bench.training.reinforcement import Way
from r2rec_bench.training.sft import Sft, SftConfig
from r2rec_bench.training.trl.rollouts import continued, generated, sampled, without_vllm

_WARM = 2
"""Steps of training that are not counted: kernels are chosen and memory is taken in them."""
_RUNS = 3
_UTILISATION = 45.0
"""Percent of the peak that fine-tuning is to reach."""


def device() -> str:
    """The GPU's name; empty without one."""
    import torch

    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else ""


@dataclass(frozen=True, slots=True)
class Timed:
    """One model, and the questions put to it.

    Attributes:
        title: in the report.
        pipeline: of an experiment with the model as its backbone, which has at least as many traces as are learnt from.
        load: how much of everything.
    """

    title: str
    pipeline: Pipeline
    load: Load

    def measure(self) -> Iterator[Measurement]:
        """All figures, the model loaded for each as a run would load it."""
        yield from self._fine_tuned()
        yield from self._reinforced()
        backbone = self.pipeline.asking.model
        lm = LanguageModel.load(backbone.checkpoint(), backbone.load_options())
        yield from self._written(lm)
        yield self._scored(lm)

    def _fine_tuned(self) -> Iterator[Measurement]:
        load, backbone = self.load, self.pipeline.asking.model
        config = SftConfig(lr=1e-5, batch_size=load.batch, examples=load.batch * load.steps)
        rows, tokens = self._trained(Sft(config))
        rates = tuple(row["tokens_per_second"] for row in rows)
        kind = "an adapter" if backbone.lora() else "all weights"
        yield _measurement(f"{self.title}: fine-tuning of {kind}, {load.batch} lessons a step", "tokens/s", rates)
        peak = peak_flops(device())
        if peak:
            needed = self._flops(tokens / (load.batch * load.steps))
            shares = tuple(100 * rate * needed / peak for rate in rates)
            what = f"{self.title}: fine-tuning, share of {peak / 1e12:.0f} TFLOP/s"
            yield _measurement(what, "%", shares, target=at_least(_UTILISATION))

    def _reinforced(self) -> Iterator[Measurement]:
        """Whole steps, in every way of writing their completions that can be had here."""
        load = self.load
        ways: tuple[Way, ...] = ("batched", "continuous", "vllm")
        for way in ways[:-1] if without_vllm() else ways:
            config = GrpoConfig(
                lr=1e-6,
                steps=load.steps,
                prompts=load.prompts,
                group=load.group,
                max_completion=load.completion,
                rollouts=way,
            )
            rows, _ = self._trained(Grpo(config))
            what = f"{self.title}: a step of GRPO, {load.prompts} prompts × {load.group}, read and written ({way})"
            yield _measurement(what, "tokens/s", tuple(row["tokens_per_second"] for row in rows))

    def _trained(self, stage: Stage) -> tuple[Sequence[Mapping[str, float]], int]:
        """The log of a stage after its first steps, and the tokens of all of it."""
        p = self.pipeline
        context = StageContext(
            p.asking.model, p.asking.strategy, p.asking.wording, p.asking.outcomes, 0, lambda step, steps, figures: None
        )
        _forget_peak()
        with TemporaryDirectory() as folder:
            result = stage.run(p.asking.model.checkpoint(), read_traces(p.traces.path / TRACES), Path(folder), context)
        return result.log[_WARM:], result.tokens

    def _written(self, lm: LanguageModel) -> Iterator[Measurement]:
        """The same prompts continued in each way that needs no trainer, and by transformers' own generation."""
        import torch
        from transformers import GenerationConfig

        load = self.load
        prompts = lm.encode([asked.prompt for row in self.pipeline.asked[0] for asked in row][: load.prompts])
        rolled = [ids for ids in prompts for _ in range(load.group)]
        config = GenerationConfig(
            max_new_tokens=load.completion,
            do_sample=True,
            temperature=1.0,
            top_k=0,
            pad_token_id=lm.tokenizer.pad_token_id,
            eos_token_id=[lm.tokenizer.eos_token_id],
        )
        ways = {"batched": sampled, "continuous": continued, "transformers' generate": generated}
        for way, write in ways.items():
            _forget_peak()
            rates: list[float] = []
            with torch.no_grad():
                write(lm.model, rolled[:2], config)
                for _ in range(_RUNS):
                    start = time.perf_counter()
                    tokens = sum(map(len, write(lm.model, rolled, config)))
                    rates.append(tokens / (time.perf_counter() - start))
            yield _measurement(f"{self.title}: {len(rolled)} rollouts ({way})", "tokens/s", tuple(rates))

    def _scored(self, lm: LanguageModel) -> Measurement:
        """Answers to lists of candidates: prompts of a list begin alike."""
        p = self.pipeline
        lists = [lm.encode([asked.prompt for asked in row]) for row in p.asked[0]]
        prompts = [ids for row in lists for ids in row]
        outcomes = [p.asking.wording.outcome(outcome) for outcome in p.asking.outcomes]
        _forget_peak()
        lm.outcome_scores(lists[0], outcomes)
        _plainly(lm, lists[:1])
        ours, plain = side_by_side(
            lambda: lm.outcome_scores(prompts, outcomes), lambda: _plainly(lm, lists), runs=_RUNS
        )
        what = f"{self.title}: {len(prompts)} prompts scored, {median(map(len, prompts)):.0f} tokens each"
        rates = per_second(len(prompts), ours)
        return _measurement(what, "prompts/s", rates, per_second(len(prompts), plain), "a padded pass of each list")

    def _flops(self, length: float) -> float:
        """What a token costs in fine-tuning where lessons have so many tokens in the mean."""
        from accelerate import init_empty_weights
        from transformers import AutoConfig, AutoModelForCausalLM

        backbone = self.pipeline.asking.model
        shape = AutoConfig.from_pretrained(backbone.checkpoint().path)
        with init_empty_weights():
            parameters = AutoModelForCausalLM.from_config(shape).num_parameters()
        return flops_per_token(
            parameters, shape.num_hidden_layers, shape.hidden_size, length, frozen=backbone.lora() is not None
        )


def _plainly(lm: LanguageModel, lists: Sequence[Sequence[TokenIds]]) -> None:
    """Each list in a padded pass of its own."""
    import torch

    with torch.inference_mode():
        for prompts in lists:
            ids, mask = (tensor.to(lm.model.device) for tensor in padded(prompts))
            model, places = cast("Any", lm.model), positions(mask)
            logits = model(input_ids=ids, attention_mask=mask, position_ids=places, logits_to_keep=1).logits[:, -1]
            logits.float().log_softmax(-1).cpu()


def _measurement(
    name: str, unit: str, ours: Runs, plain: Runs = (), beside: str = "", target: Target | None = None
) -> Measurement:
    """A figure with the most memory that the device has given out since it was last forgotten."""
    import torch

    peak = torch.cuda.max_memory_allocated() if device() else peak_bytes()
    return Measurement(name, unit, ours, plain, beside, target, peak)


def _forget_peak() -> None:
    import torch

    if device():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
