"""How the examples of a pass are laid out as rows of one length: each its own, or several in one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from r2rec_bench.llm.padding import padded

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

IGNORED = -100
"""Label of a token that has no part in the loss."""

Example: TypeAlias = Mapping[str, Any]
"""`input_ids` of prompt and completion, and `prompt_length`."""
Layout: TypeAlias = Callable[[Sequence[Example]], "dict[str, torch.Tensor]"]


def collate(batch: Sequence[Example]) -> dict[str, torch.Tensor]:
    """An example a row, padded on the left, so that all completions end together and only the last columns need logits.

    Returns:
        `input_ids`, `attention_mask`, `position_ids` and `labels`, int64 (batch, longest).
    """
    return _laid_out([[example] for example in batch])


def packed(batch: Sequence[Example], *, one_row: bool = False) -> dict[str, torch.Tensor]:
    """As `collate`, but short examples share rows as long as the longest one, or all a single row.

    Positions begin anew with each example. From that alone models of transformers take which tokens belong together,
    and only where they are given no `attention_mask`.

    Args:
        batch: examples.
        one_row: FlashAttention reads a row example by example, and no more than one row. Elsewhere attention is of
            every token of a row to every other, most of them masked, so that rows are not to be longer than they must.
    """
    lengths = [len(example["input_ids"]) for example in batch]
    room = sum(lengths) if one_row else max(lengths)
    return _laid_out([[batch[place] for place in row] for row in rows_of(lengths, room)])


def rows_of(lengths: Sequence[int], room: int) -> list[list[int]]:
    """Which texts share a row of at most `room` tokens: the longest first, each in the first row that has room."""
    rows: list[list[int]] = []
    left: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        row = next((row for row, free in enumerate(left) if lengths[place] <= free), len(rows))
        if row == len(rows):
            rows.append([])
            left.append(room)
        rows[row].append(place)
        left[row] -= lengths[place]
    return rows


def share_of(process: int, processes: int, layout: Layout) -> Layout:
    """As `layout`, but of each batch the share of one of several processes.

    Where a batch has too few examples for all, the last processes get two tokens without a label, which teach nothing.
    """

    def share(batch: Sequence[Example]) -> dict[str, torch.Tensor]:
        size = -(-len(batch) // processes)
        own = batch[process * size : (process + 1) * size]
        return layout(own or [{"input_ids": batch[0]["input_ids"][:2], "prompt_length": 2}])

    return share


def reads_apart(model: PreTrainedModel, *, one_row: bool) -> bool:
    """Whether `model` reads a packed text alike whatever the text before it says; it is tried out."""
    import torch

    read: list[torch.Tensor] = []
    for before in ([1, 2, 3], [3, 2, 1]):  # each shares a row with the last two tokens; any ids will do
        texts = ([1, 2, 3, 4, 5], before, [4, 5])
        inputs = packed([{"input_ids": text, "prompt_length": 0} for text in texts], one_row=one_row)
        asked = {name: inputs[name].to(model.device) for name in ("input_ids", "position_ids")}
        # FlashAttention has no float32.
        with torch.no_grad(), torch.autocast(model.device.type, torch.bfloat16):
            read.append(model.eval()(**asked, use_cache=False).logits[-1, -2:])
    return torch.equal(*read)


def _laid_out(rows: Sequence[Sequence[Example]]) -> dict[str, torch.Tensor]:
    ids, mask = padded([[token for example in row for token in example["input_ids"]] for row in rows])
    places, _ = padded([[place for example in row for place in range(len(example["input_ids"]))] for row in rows])
    labels, _ = padded([[label for example in row for label in _labels(example)] for row in rows], IGNORED)
    return {"input_ids": ids, "attention_mask": mask, "position_ids": places, "labels": labels}


def _labels(example: Example) -> list[int]:
    read: int = example["prompt_length"]
    return [IGNORED] * read + list(example["input_ids"][read:])
