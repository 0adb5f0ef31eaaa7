"""Completions that reinforcement learns from, and the ways of writing them.

`vllm` is TRL's engine beside the trainer; `continuous` is transformers' paged cache, in which the next prompt begins
where a completion has ended; `batched` is the decoding loop of this package, which reads a prompt once for its group.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal, cast

from r2rec_bench.core.errors import InputError, R2RecError
from r2rec_bench.llm.memory import bare, read, remembers
from r2rec_bench.llm.padding import padded
from r2rec_bench.llm.prefixes import TokenIds
from r2rec_bench.llm.writing import write

if TYPE_CHECKING:
    import torch
    from transformers import GenerationConfig, PreTrainedModel
    from trl.trainer.grpo_trainer import GRPOTrainer
    from trl.trainer.rloo_trainer import RLOOTrainer

    from r2rec_bench.training.reinforcement import Rollouts, Way

_MOST_READ = 8_192
"""Tokens that a pass over pages reads at most, as is transformers' default: masks and buffers are made for so many."""


def without_vllm() -> str:
    """Why vLLM cannot be had on this machine; empty where it can."""
    import torch

    if not torch.cuda.is_available():
        return "vLLM needs a GPU, and torch sees none (`r2rec doctor`)"
    return "" if find_spec("vllm") else "vLLM is not installed: pip install 'trl[vllm]'"


def without_pages(model: PreTrainedModel) -> str:
    """Why transformers cannot keep what `model` has read in pages; empty where it can."""
    inner: Any = bare(model)
    if inner._is_stateful or not inner._supports_attention_backend:
        return f"{type(inner).__name__} keeps something else of a text than keys and values that can lie in pages"
    return ""


def way_of(stage: str, asked: Rollouts, model: PreTrainedModel) -> Way:
    """How completions are written: as asked, or in the fastest way that there is.

    Without FlashAttention every text of a pass over pages attends to all others, which are masked then: nothing is
    gained, and a CPU has no other.

    Raises:
        InputError: what was asked for cannot be had.
    """
    if asked == "auto":
        if not without_vllm():
            return "vllm"
        shape: Any = model.config
        flash = "flash_attention" in shape._attn_implementation
        return "continuous" if flash and not without_pages(model) else "batched"
    problem = {"vllm": without_vllm, "continuous": lambda: without_pages(model), "batched": str}[asked]()
    if problem:
        raise refusal(stage, asked, problem)
    return asked


def refusal(stage: str, asked: Way, problem: str) -> InputError:
    """Says that completions of `stage` cannot be written as asked."""
    return InputError(f"{stage}.rollouts is '{asked}', but {problem}. Use auto: the fastest way that there is")


def rolled_out(
    trainer: GRPOTrainer | RLOOTrainer, prompts: Sequence[TokenIds], way: Literal["continuous", "batched"]
) -> list[TokenIds]:
    """A sampled continuation of each prompt by the model as it is now, up to and including the end of turn."""
    import torch
    from trl.models.utils import unwrap_model_for_generation

    args, config = trainer.args, trainer.generation_config
    checkpointing = cast("dict[str, Any] | None", args.gradient_checkpointing_kwargs)
    with (
        unwrap_model_for_generation(
            trainer.model_wrapped, trainer.accelerator, gradient_checkpointing_kwargs=checkpointing
        ) as model,
        torch.no_grad(),
    ):
        if way == "batched":
            return sampled(model, prompts, config) if remembers(model) else generated(model, prompts, config)
        half = torch.bfloat16 if args.bf16 else torch.float16 if args.fp16 else torch.float32
        with rounded(model, half):
            return continued(model, prompts, config)


def sampled(model: PreTrainedModel, prompts: Sequence[TokenIds], config: GenerationConfig) -> list[TokenIds]:
    """Continuations by a model that `remembers`; the draws are those of `generated`."""
    import torch

    memory, logits = read(model, prompts)
    stops = torch.tensor(config.eos_token_id, device=logits.device)

    def choose(logits: torch.Tensor, rows: torch.Tensor, written: int) -> torch.Tensor:
        # A broken model must get as far as the check of its loss, which names the step.
        shares = (logits.nan_to_num() / config.temperature).softmax(-1)
        # As torch draws of many; numbers for the completions that have ended too, so that they move no others.
        numbers = torch.empty((len(prompts), shares.shape[-1]), device=shares.device).exponential_()
        return (shares / numbers[rows]).argmax(-1)

    def ended(written: torch.Tensor) -> torch.Tensor:
        return torch.isin(written[:, -1], stops)

    out: list[TokenIds] = [[] for _ in prompts]
    for some in write(memory, logits, choose, ended, cast("int", config.max_new_tokens)):
        for row, ids in some.texts:
            out[row] = ids
    return out


def generated(model: PreTrainedModel, prompts: Sequence[TokenIds], config: GenerationConfig) -> list[TokenIds]:
    """Continuations by transformers' own generation of one padded batch."""
    ids, mask = (tensor.to(model.device) for tensor in padded(prompts))
    written: Any = cast("Any", model).generate(input_ids=ids, attention_mask=mask, generation_config=config)
    return [_ended(one, cast("list[int]", config.eos_token_id)) for one in written[:, ids.shape[1] :].tolist()]


def continued(model: PreTrainedModel, prompts: Sequence[TokenIds], config: GenerationConfig) -> list[TokenIds]:
    """Continuations by transformers' continuous batching, in pages for as many tokens as there can be.

    Raises:
        R2RecError: transformers gave up, or there is no memory for so many pages.
    """
    from transformers.generation.configuration_utils import ContinuousBatchingConfig

    paging = ContinuousBatchingConfig(
        max_batch_tokens=min(sum(map(len, prompts)), _MOST_READ),
        auto_switch_to_flash=False,  # the backbone says which attention it is loaded with
    )
    most = cast("int", config.max_new_tokens)
    paging.num_blocks = sum(-(-(len(prompt) + most) // paging.page_size) for prompt in prompts)
    training = model.training
    try:
        written = cast("Any", model).generate_batch(
            list(prompts), generation_config=config, continuous_batching_config=paging
        )
    except MemoryError as error:
        raise R2RecError(f"rollouts: {error}. Lower prompts or group, or set rollouts to batched") from error
    finally:
        model.train(training)
    # What goes wrong in its thread is logged there, and what was not written is missing here.
    failed = [one.error for one in written.values() if one.error]
    if failed or len(written) < len(prompts):
        said = failed[0] if failed else "see the log"
        missing = len(prompts) - len(written) + len(failed)
        raise R2RecError(
            f"rollouts: continuous batching left {missing} of {len(prompts)} completions unwritten ({said}). "
            "Set rollouts to batched"
        )
    return [one.generated_tokens for one in written.values()]


@contextmanager
def rounded(model: PreTrainedModel, dtype: torch.dtype) -> Generator[None]:
    """Inside, weights that are trained in full precision are of `dtype`, as pages are; afterwards as they were."""
    whole = {weight: weight.data for weight in model.parameters() if weight.is_floating_point()}
    try:
        for weight, values in whole.items():
            weight.data = values.to(dtype)
        yield
    finally:
        for weight, values in whole.items():
            weight.data = values


def _ended(ids: TokenIds, ends: Sequence[int]) -> TokenIds:
    """`ids` up to and including the first of `ends`."""
    end = next((place for place, token in enumerate(ids) if token in ends), len(ids) - 1)
    return ids[: end + 1]
