"""Supervised fine-tuning beside a bare PyTorch loop on the same model and batches."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from r2rec_bench.bench.base import Measurement, Runs, per_second, seconds, times
from r2rec_bench.bench.rollouts import context
from r2rec_bench.llm.nano import Nano
from r2rec_bench.llm.prefixes import TokenIds
from r2rec_bench.training.sft import SftConfig

BATCH, READ, WRITTEN = 128, 54, 28
LR = 1e-3


def measure(scale: float) -> Iterator[Measurement]:
    """Updates of the quickstart's size with the nano model, on one core."""
    steps = max(3, round(20 * scale))
    rng = np.random.default_rng(0)
    prompts = [rng.integers(5, 270, rng.integers(READ - 8, READ + 1)).tolist() for _ in range(BATCH * steps)]
    completions = [rng.integers(5, 270, WRITTEN).tolist() for _ in prompts]
    tokens = sum(map(len, prompts + completions)) / steps
    yield Measurement(
        f"SFT: {BATCH} traces of up to {READ} + {WRITTEN} tokens an update, by nano",
        "tokens/s",
        per_second(tokens, stage(prompts, completions)),
        per_second(tokens, bare(prompts, completions)),
        "the same forward, cross-entropy, backward, clipping and AdamW in a bare PyTorch loop",
        times(0.9),
    )


def stage(prompts: list[TokenIds], completions: list[TokenIds]) -> Runs:
    """Seconds of each update but the first, of the stage as it is."""
    from r2rec_bench.training.trl.session import opened
    from r2rec_bench.training.trl.supervised import fine_tune

    ends: list[float] = []

    def told(step: int, n: int, figures: Mapping[str, float]) -> None:
        ends.append(time.perf_counter())

    with (
        TemporaryDirectory() as folder,
        opened("sft", Nano().checkpoint(), Path(folder), SftConfig(lr=LR), context(told)) as session,
    ):
        fine_tune(session, prompts, completions, epochs=1, batch_size=BATCH, order="random")
    return tuple(np.diff(ends).tolist())


def bare(prompts: list[TokenIds], completions: list[TokenIds]) -> Runs:
    """Seconds of each update but the first, and nothing around them."""
    import torch

    from r2rec_bench.llm.loading import load_model
    from r2rec_bench.training.trl.supervised import collate, completion_loss

    backbone = Nano()
    model = load_model(backbone.checkpoint(), backbone.load_options()).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=LR)
    rows = [
        {"input_ids": prompt + completion, "prompt_length": len(prompt)}
        for prompt, completion in zip(prompts, completions, strict=True)
    ]

    def update(begin: int) -> None:
        batch = collate(rows[begin : begin + BATCH])
        labels = batch.pop("labels")
        completion_loss(model, batch, labels, None).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()

    return tuple(seconds(lambda begin=begin: update(begin)) for begin in range(0, len(rows), BATCH))[1:]
