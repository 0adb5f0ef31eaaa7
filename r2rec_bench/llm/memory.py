"""What a model keeps of the texts that it has read: their keys and values, so that nothing is read twice."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from r2rec_bench.llm.padding import padded, positions
from r2rec_bench.llm.prefixes import TokenIds, grouped

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel
    from transformers.cache_utils import DynamicLayer

_ROOM = 64
"""Tokens for which room is made at a time: what is kept is then copied once for so many, not for each."""


def remembers(model: PreTrainedModel) -> bool:
    """Whether what `model` keeps of a text is keys and values of every token and nothing else.

    Windows that slide, states of a recurrence, and architectures whose code is not transformers' own, keep something
    else: they are left to transformers' own generation.
    """
    from transformers.cache_utils import DynamicCache, DynamicLayer

    inner: Any = bare(model)
    layers = DynamicCache(config=inner.config).layers
    return (
        type(inner).__module__.startswith("transformers.models.")
        and not inner._is_stateful
        and inner.config._attn_implementation in {"sdpa", "eager"}
        and bool(layers)
        and all(type(layer) is DynamicLayer for layer in layers)
    )


def bare(model: PreTrainedModel) -> PreTrainedModel:
    """`model` without the adapter that it may carry."""
    base = getattr(model, "get_base_model", None)
    return base() if base else model


class Memory:
    """A batch of token sequences as `model` has read them.

    Sequences end in the same column, and columns before the first token of a shorter one count for nothing.

    Args:
        model: one that `remembers`.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        from transformers.cache_utils import Cache

        self._model = model
        self._cache = Cache(layer_class_to_replicate=_growing_layer())
        self._counts: torch.Tensor | None = None

    @property
    def rows(self) -> int:
        """Sequences."""
        return 0 if self._counts is None else self._counts.shape[0]

    @property
    def columns(self) -> int:
        """Columns so far, those that count for nothing included."""
        return 0 if self._counts is None else self._counts.shape[1]

    def read(self, more: Sequence[Sequence[int]]) -> torch.Tensor:
        """Read on, at least one token in each sequence; float32 logits of what follows, (n, vocabulary)."""
        ids, counts = padded(more)
        device = self._model.device
        return self._forward(ids.to(device), counts.to(device))

    def step(self, tokens: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
        """Read one token each, int64 (n,), of sequences that go on where `counted`, bool (n,); logits as of `read`."""
        return self._forward(tokens[:, None], counted[:, None].long())

    def select(self, rows: torch.Tensor) -> Memory:
        """A memory of its own of `rows`, int64 (any,), each as often as it is named."""
        other = Memory(self._model)
        other._cache.layers = [layer.selected(rows) for layer in cast("list[Any]", self._cache.layers)]
        other._counts = None if self._counts is None else self._counts[rows]
        return other

    def forget(self, kept: torch.Tensor, begun: int) -> None:
        """Let only the first `kept`, int64 (n,), of the columns from `begun` on count."""
        import torch

        if self._counts is not None:
            late = torch.arange(self.columns - begun, device=self._counts.device)
            self._counts[:, begun:] *= late < kept[:, None].to(self._counts.device)

    def _forward(self, ids: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        import torch

        self._counts = counts if self._counts is None else torch.cat([self._counts, counts], dim=1)
        out: Any = self._model(
            input_ids=ids,
            attention_mask=self._counts,
            position_ids=positions(self._counts)[:, -ids.shape[1] :],
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return out.logits[:, -1].float()


def read(model: PreTrainedModel, prompts: Sequence[TokenIds]) -> tuple[Memory, torch.Tensor]:
    """All of `prompts` read by a model that `remembers`, what some share once; and the logits of what follows each."""
    import torch

    groups = grouped(prompts)
    memory = Memory(model)
    if any(group.shared for group in groups):
        memory.read([prompts[group.rows[0]][: group.shared] for group in groups])
        begun = {row: (place, group.shared) for place, group in enumerate(groups) for row in group.rows}
        memory = memory.select(torch.tensor([begun[row][0] for row in range(len(prompts))], device=model.device))
        return memory, memory.read([prompt[begun[row][1] :] for row, prompt in enumerate(prompts)])
    return memory, memory.read(prompts)


@cache
def _growing_layer() -> type[DynamicLayer]:
    """A layer's keys and values with room made ahead, where transformers' own copies all it has for every token."""
    from transformers.cache_utils import DynamicLayer

    class GrowingLayer(DynamicLayer):
        """Keys and values are views of what there is room for."""

        room: tuple[torch.Tensor, torch.Tensor] | None = None

        def update(
            self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
        ) -> tuple[torch.Tensor, torch.Tensor]:
            if not self.is_initialized:
                self.lazy_initialization(key_states, value_states)
            begin = self.get_seq_length()
            end = begin + key_states.shape[-2]
            if self.room is None or end > self.room[0].shape[-2]:
                wider = _wider(key_states, end), _wider(value_states, end)
                if self.keys is not None and self.values is not None and begin:
                    wider[0][..., :begin, :] = self.keys
                    wider[1][..., :begin, :] = self.values
                self.room = wider
            keys, values = self.room
            keys[..., begin:end, :] = key_states
            values[..., begin:end, :] = value_states
            self.keys, self.values = keys[..., :end, :], values[..., :end, :]
            return self.keys, self.values

        def selected(self, rows: torch.Tensor) -> GrowingLayer:
            """A layer of its own of `rows`, copied once, room included."""
            other = GrowingLayer()
            if self.room is not None:
                end, (keys, values) = self.get_seq_length(), self.room
                other.lazy_initialization(keys, values)
                other.room = keys[rows], values[rows]
                other.keys, other.values = (room[..., :end, :] for room in other.room)
            return other

    return GrowingLayer


def _wider(like: torch.Tensor, columns: int) -> torch.Tensor:
    return like.new_empty((*like.shape[:-2], columns + _ROOM, like.shape[-1]))
