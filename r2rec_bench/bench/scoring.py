"""Twenty candidates of a user scored: what their prompts share is read once, and answers are read off the thoughts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from r2rec_bench.bench.base import Measurement, at_most, side_by_side, times
from r2rec_bench.core.types import FloatArray
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.llm.nano import Nano, new_tokenizer
from r2rec_bench.llm.prefixes import TokenIds
from r2rec_bench.prompts.compact import Compact
from r2rec_bench.prompts.wording import THINK_CLOSE

if TYPE_CHECKING:
    from transformers import PreTrainedModel

CANDIDATES, SHARED, OWN = 20, 400, 24
"""Candidates of a user, tokens that their prompts begin with, and tokens of each by itself."""
ASKED, READ, WRITTEN = 400, 50, 28
"""Questions in the compact wording, which share nothing, their tokens, and those of the thoughts about each."""
OUTCOMES = [Compact().outcome(value) for value in range(6)]
TOLERANCE = 1e-4
"""Of log-probabilities in float32."""


def measure(scale: float) -> Iterator[Measurement]:
    """A model of 20 M parameters with a shared prefix, and the nano model with thoughts and nothing shared."""
    model = LanguageModel(of_20_million(), new_tokenizer())
    shared = max(4, round(SHARED * scale))
    prompts = questions(CANDIDATES, shared, OWN)
    runs = max(1, round(5 * scale))
    told: dict[str, FloatArray] = {}

    def ours() -> None:
        told["ours"] = model.outcome_scores(prompts, OUTCOMES).log_probabilities

    def plain() -> None:
        told["plain"] = plainly(model.model, prompts, model.encode_texts(OUTCOMES))

    ours()
    plain()
    fast, slow = side_by_side(ours, plain, runs)
    parameters = sum(weight.numel() for weight in model.model.parameters()) / 1e6
    yield Measurement(
        f"{CANDIDATES} candidates scored, {shared} tokens shared and {OWN} of their own, {parameters:.0f} M parameters",
        "s",
        fast,
        slow,
        "one padded batch of the whole prompts",
        times(5),
    )
    moved = LanguageModel(model.model, model.tokenizer, batch_tokens=4 * (shared + OWN))
    again = moved.outcome_scores(prompts[::-1], OUTCOMES).log_probabilities[::-1]
    difference = max(np.abs(told["ours"] - other).max() for other in (told["plain"], again))
    yield Measurement(
        "Largest difference of log-probabilities from the plain way, and from other batches in another order; at least "
        "what float32 can tell apart",
        "nats",
        (max(float(difference), resolution(told["ours"])),),
        target=at_most(TOLERANCE),
    )
    yield thought_about(max(8, round(ASKED * scale)), max(1, round(3 * scale)))


def resolution(values: FloatArray) -> float:
    """The distance of float32 numbers as large as the largest of `values`."""
    return float(np.spacing(np.float32(np.abs(values).max())))


def thought_about(asked: int, runs: int) -> Measurement:
    """Thoughts and answers of the nano model, beside transformers' generation and a second reading of all of it."""
    backbone = Nano()
    model = LanguageModel.load(backbone.checkpoint(), backbone.load_options())
    anew = LanguageModel(model.model, model.tokenizer)
    anew.remembers = False
    prompts, wording = questions(asked, 1, READ - 1), Compact()

    def answer(by: LanguageModel) -> None:
        by.answer(prompts, THINK_CLOSE, WRITTEN, wording.before_answer, OUTCOMES)

    answer(model)
    answer(anew)
    ours, plain = side_by_side(lambda: answer(model), lambda: answer(anew), runs)
    name = f"{asked} questions of {READ} tokens thought about in up to {WRITTEN}, and answered, by nano"
    return Measurement(name, "s", ours, plain, "transformers' generate, then all of it read again")


def of_20_million() -> PreTrainedModel:
    """A Llama of about 20 M parameters with random weights, float32."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=8_192,
            hidden_size=384,
            intermediate_size=1_024,
            num_hidden_layers=10,
            num_attention_heads=6,
            max_position_embeddings=2_048,
        )
    ).eval()


def questions(n: int, shared: int, own: int) -> list[TokenIds]:
    """Random prompts that begin alike, in ordinary words of the compact wording."""
    rng = np.random.default_rng(0)
    first = rng.integers(100, 250, shared).tolist()
    return [first + rng.integers(100, 250, own).tolist() for _ in range(n)]


def plainly(model: PreTrainedModel, prompts: list[TokenIds], outcomes: list[TokenIds]) -> FloatArray:
    """Log-probabilities of one-token outcomes after prompts of one length, all read whole, (n, outcomes)."""
    import torch

    with torch.inference_mode():
        out: Any = model(input_ids=torch.tensor(prompts), use_cache=False, logits_to_keep=1)
        return out.logits[:, -1].log_softmax(-1)[:, [ids[0] for ids in outcomes]].double().numpy()
