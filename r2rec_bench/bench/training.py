"""Supervised fine-tuning beside a bare PyTorch loop on the same model and batches, and packed beside padded, by the
processor's clock."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, NamedTuple

import numpy as np

from r2rec_bench.bench.base import Measurement, seconds, times
from r2rec_bench.bench.rollouts import context
from r2rec_bench.llm.nano import Nano
from r2rec_bench.llm.prefixes import TokenIds
from r2rec_bench.training.sft import SftConfig

BATCH, READ, WRITTEN = 32, 54, 28
"""As in the quickstart: traces an update, tokens of a prompt at most, and tokens of a completion."""
STEPS, ROUNDS = 20, 3
LR = 1e-3


class Lessons(NamedTuple):
    """Prompts and completions, (n,) each, of any lengths."""

    prompts: list[TokenIds]
    completions: list[TokenIds]

    def longest(self) -> int:
        """Tokens of the longest of them."""
        return max(len(prompt) + len(said) for prompt, said in zip(*self, strict=True))


def measure(scale: float) -> Sequence[Measurement]:
    """Updates of the quickstart's size with the nano model, on one core, all ways by turns."""
    steps, rounds = max(3, round(STEPS * scale)), max(1, round(ROUNDS * scale))
    rng = np.random.default_rng(0)
    n = BATCH * steps
    alike = drawn(rng.integers(READ - 8, READ + 1, n), np.full(n, WRITTEN), rng)
    pieces = rng.geometric(0.12, n).clip(max=40)
    unlike = drawn(14 + 5 * pieces, 4 + 3 * pieces, rng)
    found = [
        (
            stage(alike),
            bare(alike),
            stage(unlike),
            stage(unlike, packing=True),
            stage(unlike, order="group_by_length"),
        )
        for _ in range(rounds)
    ]
    ours, plain, padded, packed, bucketed = zip(*found, strict=True)
    what = f"SFT by nano, {BATCH} traces an update of up to {READ} + {WRITTEN} tokens"
    loop = "the same forward, cross-entropy, backward, clipping and AdamW in a bare PyTorch loop"
    packs = f"SFT by nano, {BATCH} traces an update of 26 to {unlike.longest()} tokens, packed"
    return (
        Measurement(what, "tokens/s", ours, plain, loop, times(0.9)),
        Measurement(packs, "tokens/s", packed, padded, "a trace a row, padded"),
        Measurement(packs, "tokens/s", packed, bucketed, "padded, of like lengths together: other updates"),
    )


def drawn(read: np.ndarray, written: np.ndarray, rng: np.random.Generator) -> Lessons:
    """Lessons of so many tokens, int (n,) each, in ordinary words of the compact wording."""
    prompts, completions = ([rng.integers(5, 270, k).tolist() for k in sizes] for sizes in (read, written))
    return Lessons(prompts, completions)


def stage(lessons: Lessons, *, packing: bool = False, order: Literal["random", "group_by_length"] = "random") -> float:
    """Tokens a second, over all updates but the first, of the stage as it is."""
    from r2rec_bench.training.trl.session import opened
    from r2rec_bench.training.trl.supervised import fine_tune

    seen: list[tuple[float, int]] = []

    def told(step: int, n: int, figures: Mapping[str, float]) -> None:
        seen.append((time.process_time(), session.tokens))

    with (
        TemporaryDirectory() as folder,
        opened("sft", Nano().checkpoint(), Path(folder), SftConfig(lr=LR), context(told)) as session,
    ):
        fine_tune(session, *lessons, epochs=1, batch_size=BATCH, order=order, packing=packing)
    (first, before), (last, tokens) = seen[0], seen[-1]
    return (tokens - before) / (last - first)


def bare(lessons: Lessons) -> float:
    """Tokens a second, over all updates but the first, and nothing around them."""
    import torch

    from r2rec_bench.llm.loading import load_model
    from r2rec_bench.training.trl.batches import collate
    from r2rec_bench.training.trl.supervised import completion_loss

    backbone = Nano()
    model = load_model(backbone.checkpoint(), backbone.load_options()).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=LR)
    rows = [
        {"input_ids": prompt + completion, "prompt_length": len(prompt)}
        for prompt, completion in zip(*lessons, strict=True)
    ]

    def update(begin: int) -> None:
        batch = collate(rows[begin : begin + BATCH])
        labels = batch.pop("labels")
        completion_loss(model, batch, labels, None).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()

    update(0)
    took = seconds(lambda: [update(begin) for begin in range(BATCH, len(rows), BATCH)], time.process_time)
    return sum(map(len, lessons.prompts[BATCH:] + lessons.completions[BATCH:])) / took
