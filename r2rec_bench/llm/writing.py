"""Token by token: texts that a model has read are continued together, and leave the batch when they end."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from r2rec_bench.llm.memory import Memory
from r2rec_bench.llm.prefixes import alike

if TYPE_CHECKING:
    import torch

_WORTH_LEAVING = 0.25
"""Share of a batch that must have ended before it is taken out: what stays is copied."""

Choose = Callable[["torch.Tensor", "torch.Tensor", int], "torch.Tensor"]
"""The tokens that follow, int64 (m,): (float32 logits (m, vocabulary), rows int64 (m,), tokens written so far)."""
Ends = Callable[["torch.Tensor"], "torch.Tensor"]
"""Which texts have ended, bool (m,), by what they have written, int64 (m, 1 or more)."""


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """Sequences that have ended, with what is kept of them until the next ones are asked for.

    Attributes:
        rows: places in the batch, (m,).
        tokens: what each wrote, its end included.
        memory: of the whole batch as it is now.
        places: where they stand in `memory`, int64 (m,).
        begun: column of `memory` in which their first written token stands; the last one has not been read.
    """

    rows: list[int]
    tokens: list[list[int]]
    memory: Memory
    places: torch.Tensor
    begun: int

    @property
    def texts(self) -> zip[tuple[int, list[int]]]:
        """(row, what it wrote)."""
        return zip(self.rows, self.tokens, strict=True)

    def read_on(self, texts: Sequence[Sequence[int]]) -> torch.Tensor:
        """Logits of what follows where each sequence goes on with one of `texts` after its prompt, (m, vocabulary).

        What a text, of at least one token, has in common with what was written is not read again.
        """
        import torch

        whole = len(self.places) == self.memory.rows
        memory = self.memory if whole else self.memory.select(self.places)
        known = [min(alike(text, ids[:-1]), len(text) - 1) for text, ids in zip(texts, self.tokens, strict=True)]
        memory.forget(torch.tensor(known), self.begun)
        return memory.read([text[begin:] for text, begin in zip(texts, known, strict=True)])


def write(memory: Memory, logits: torch.Tensor, choose: Choose, ends: Ends, max_new_tokens: int) -> Generator[Written]:
    """Continue every sequence of `memory`; those that have ended come as soon as there are enough of them.

    Args:
        memory: what was read, n sequences.
        logits: of the first token, (n, vocabulary).
        choose: how tokens are chosen.
        ends: when a text has ended.
        max_new_tokens: most tokens written.
    """
    import torch

    n, begun = len(logits), memory.columns
    rows = torch.arange(n, device=logits.device)
    written = torch.zeros((n, max_new_tokens), dtype=torch.long, device=logits.device)
    length = torch.full((n,), max_new_tokens, device=logits.device)
    going = torch.ones(n, dtype=torch.bool, device=logits.device)

    def ended(places: torch.Tensor) -> Written:
        texts = zip(written[rows[places]].tolist(), length[rows[places]].tolist(), strict=True)
        return Written(rows[places].tolist(), [ids[:end] for ids, end in texts], memory, places, begun)

    for count in range(1, max_new_tokens + 1):
        tokens = choose(logits, rows, count - 1)
        written[rows, count - 1] = tokens
        stops = going & ends(written[rows, :count])
        length[rows[stops]] = count
        going &= ~stops
        left = int(going.sum())
        if not left or count == max_new_tokens:
            break
        if left <= (1 - _WORTH_LEAVING) * len(rows):
            yield ended((~going).nonzero()[:, 0])
            stay = going.nonzero()[:, 0]
            memory, rows, tokens, going = memory.select(stay), rows[stay], tokens[stay], going[stay]
        logits = memory.step(tokens, going)
    yield ended(torch.arange(len(rows), device=logits.device))
