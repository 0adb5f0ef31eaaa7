"""How fast one model is fine-tuned, reinforced, writes and scores, by the project's own paths."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

from r2rec_bench.bench.base import Measurement, Runs, Target, at_least, per_second, seconds, side_by_side
from r2rec_bench.bench.gpu.flops import flops_per_token, peak_flops
from r2rec_bench.bench.gpu.models import Load
from r2rec_bench.core.resources import peak_bytes
from r2rec_bench.files import TRACES
from r2rec_bench.llm.model import LanguageModel, TokenIds
from r2rec_bench.llm.sampling import Sampling
from r2rec_bench.pipeline import Pipeline
from r2rec_bench.prompts.wording import THINK_CLOSE
from r2rec_bench.traces.store import read_traces
from r2rec_bench.training.base import Stage, StageContext
from r2rec_bench.training.grpo import Grpo, GrpoConfig
from r2rec_bench.training.sft import Sft, SftConfig

if TYPE_CHECKING:
    import torch

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
        yield self._reinforced()
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

    def _reinforced(self) -> Measurement:
        load = self.load
        config = GrpoConfig(
            lr=1e-6, steps=load.steps, prompts=load.prompts, group=load.group, max_completion=load.completion
        )
        rows, _ = self._trained(Grpo(config))
        what = f"{self.title}: a step of GRPO, {load.prompts} prompts × {load.group}, read and written"
        return _measurement(what, "tokens/s", tuple(row["tokens_per_second"] for row in rows))

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
        """The same prompts continued by each path that there is, each sampled on its own terms."""
        load = self.load
        prompts = lm.encode([asked.prompt for row in self.pipeline.asked[0] for asked in row][: load.prompts])
        rolled = [ids for ids in prompts for _ in range(load.group)]
        for path, write in _paths(lm, load.completion).items():
            _forget_peak()
            write(rolled[:2])
            counts: list[int] = []
            taken = [seconds(lambda write=write, counts=counts: counts.append(write(rolled))) for _ in range(_RUNS)]
            rates = tuple(count / time for count, time in zip(counts, taken, strict=True))
            yield _measurement(f"{self.title}: {len(rolled)} rollouts by {path}", "tokens/s", rates)

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


def _paths(lm: LanguageModel, most: int) -> dict[str, Callable[[Sequence[TokenIds]], int]]:
    """Ways to continue prompts, each telling how many tokens it wrote."""
    import torch
    from transformers import GenerationConfig

    model: Any = lm.model
    config = GenerationConfig(
        max_new_tokens=most,
        do_sample=True,
        pad_token_id=lm.tokenizer.pad_token_id,
        eos_token_id=lm.tokenizer.eos_token_id,
    )

    def ours(prompts: Sequence[TokenIds]) -> int:
        return sum(map(len, lm.generate(prompts, THINK_CLOSE, most, sampling=Sampling(1.0, seed=0))))

    def batched(prompts: Sequence[TokenIds]) -> int:
        ids, mask, _ = _padded(lm, prompts)
        with torch.inference_mode():
            written = model.generate(input_ids=ids, attention_mask=mask, generation_config=config)
        return int((written[:, ids.shape[1] :] != config.pad_token_id).sum())

    def continuous(prompts: Sequence[TokenIds]) -> int:
        written = model.generate_batch(inputs=list(prompts), generation_config=config, progress_bar=False)
        return sum(len(one.generated_tokens) for one in written.values())

    paths = {"LanguageModel.generate": ours, "transformers' generate": batched}
    return paths | ({"transformers' continuous batching": continuous} if device() else {})


def _plainly(lm: LanguageModel, lists: Sequence[Sequence[TokenIds]]) -> None:
    """Each list in a padded pass of its own."""
    import torch

    with torch.inference_mode():
        for prompts in lists:
            ids, mask, places = _padded(lm, prompts)
            model = cast("Any", lm.model)
            logits = model(input_ids=ids, attention_mask=mask, position_ids=places, logits_to_keep=1).logits[:, -1]
            logits.float().log_softmax(-1).cpu()


def _padded(lm: LanguageModel, prompts: Sequence[TokenIds]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids, mask and positions of a batch padded on the left, int64 (b, longest)."""
    import torch

    width = max(map(len, prompts))
    ids = torch.tensor([[0] * (width - len(prompt)) + list(prompt) for prompt in prompts])
    mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    places = (mask.cumsum(-1) - 1).clamp(min=0)
    return ids.to(lm.model.device), mask.to(lm.model.device), places.to(lm.model.device)


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
