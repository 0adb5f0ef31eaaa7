"""What the neural sequence models share: settings, training on the next item, scores from the visible history."""

from __future__ import annotations

import logging
import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from r2rec_baselines.cross_entropy import backward_cross_entropy
from r2rec_baselines.popularity import interaction_counts
from r2rec_baselines.sequences import Histories, padded
from r2rec_bench.core.config import Config, Tune
from r2rec_bench.core.errors import InputError, LeakageError
from r2rec_bench.core.seeds import derive, generator
from r2rec_bench.core.types import Candidates, FloatArray, Int64Array, InteractionLog, Query
from r2rec_bench.evaluation.base import Baseline

if TYPE_CHECKING:
    import torch
    from torch import nn

logger = logging.getLogger(__name__)

GROUPS = 4
"""Parts of a batch by length, each filled to its own longest window, so that little is computed for nothing."""

QUERIES = 256
"""Queries read at a time."""


class SequentialConfig(Config):
    """Settings of every sequence model."""

    width: Annotated[int, Field(ge=1), Tune(32, 256, log=True)] = 64
    """Length of an item's vector and of the state that is compared with it."""
    layers: Annotated[int, Field(ge=1), Tune(1, 4)] = 2
    dropout: Annotated[float, Field(ge=0, lt=1), Tune(0.1, 0.6)] = 0.2
    """Share of the activations left out at each step of training; the fewer data, the more."""
    learning_rate: Annotated[float, Field(gt=0), Tune(0.0003, 0.01, log=True)] = 0.002
    """Step of AdamW at its highest: it rises over the first tenth of the training and falls as a cosine to 0."""
    weight_decay: Annotated[float, Field(ge=0), Tune(0.0001, 0.1, log=True)] = 0.01
    epochs: Annotated[int, Field(ge=1), Tune(10, 200, log=True)] = 20
    """Times that every interaction is predicted. The cost is proportional to it and to nothing else as much."""
    batch_size: Annotated[int, Field(ge=1), Tune(32, 512, log=True)] = 128
    """Windows per step."""
    window: Annotated[int, Field(ge=1), Tune(20, 200, log=True)] = 64
    """Most interactions read at a time, in training and for a query."""


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A network over tokens.

    Attributes:
        tokens: a vector per token, which reads it and against which states are compared.
        parts: everything that has weights or differs between training and use, `tokens` included.
        states: from tokens, int64 (b, w), w at most the window, to the state after each, float32 (b, w, width), which
            depends on that token and those before it alone.
    """

    tokens: nn.Embedding
    parts: nn.ModuleList
    states: Callable[[torch.Tensor], torch.Tensor]

    @property
    def device(self) -> torch.device:
        return self.tokens.weight.device


class Sequential(Baseline):
    """A network that reads a history in order and is trained to tell the next item, by cross-entropy over all items.

    The logit of an item is the dot product of the state with the vector by which the item is also read. All items
    take part in the loss, which sampled negatives do not replace (Klenitskiy and Vasilev, "Turning Dross Into Gold
    Loss: is BERT4Rec really better than SASRec?", RecSys 2023, arXiv 2309.07602). A query without history is ranked by
    popularity, as `Personal` does.
    """

    config: SequentialConfig

    @abstractmethod
    def network(self, n_tokens: int) -> Network:
        """The untrained network.

        Args:
            n_tokens: items, and the start of a history as the last.
        """

    def fit(self, log: InteractionLog, seed: int) -> None:
        """Learn from `log`.

        Raises:
            InputError: torch is not installed.
        """
        try:
            import torch
        except ImportError as error:
            raise InputError(
                f"SASRec and GRU4Rec need the library 'torch', which does not import ({error}). "
                "Install it with: pip install 'r2rec-bench[baselines]'"
            ) from error
        self._popularity = interaction_counts(log)
        self._histories = Histories.of(log)
        with torch.random.fork_rng([torch.cuda.current_device()] if torch.cuda.is_available() else []):
            torch.manual_seed(derive(seed, "baseline", type(self).__name__) % 2**63)
            self._network = self.network(log.n_items + 1)
            self._network.parts.to("cuda" if torch.cuda.is_available() else "cpu")
            self._train(generator(seed, "baseline", type(self).__name__, "windows"))

    def score(self, candidates: Candidates) -> FloatArray:
        """Scores of all candidates, float64 (q, c).

        Raises:
            LeakageError: the model was fitted on what a user had only after the query; weights cannot forget it.
        """
        scores = self._popularity[candidates.items].astype(np.float64)
        told = [row for row, query in enumerate(candidates.queries) if self._tells(query)]
        vectors = self._vectors()
        for at in range(0, len(told), QUERIES):
            rows = told[at : at + QUERIES]
            states = self._last_states([candidates.queries[row] for row in rows])
            scores[rows] = np.einsum("qd,qcd->qc", states, vectors[candidates.items[rows]])
        return scores

    def epoch_done(self, epoch: int, loss: float) -> None:
        """Told after each epoch, the first being 1, with its mean loss in nats."""
        logger.debug("%s: epoch %d of %d, loss %.4f", type(self).__name__, epoch, self.config.epochs, loss)

    def _train(self, rng: np.random.Generator) -> None:
        import torch

        config, histories, network = self.config, self._histories, self._network
        optimizer = torch.optim.AdamW(network.parts.parameters(), lr=1.0, weight_decay=config.weight_decay)
        for epoch in range(config.epochs):
            network.parts.train()
            windows, total = histories.windows(config.window, rng), 0.0
            for at in range(0, len(windows), config.batch_size):
                batch = windows[at : at + config.batch_size]
                batch = batch[np.argsort(batch[:, 1] - batch[:, 0], kind="stable")]
                states = torch.cat([self._all_states(rows) for rows in np.array_split(batch, min(GROUPS, len(batch)))])
                targets = np.concatenate([histories.item[first:last] for first, last in batch])
                for group in optimizer.param_groups:
                    group["lr"] = config.learning_rate * _one_cycle((epoch + at / len(windows)) / config.epochs)
                optimizer.zero_grad()
                total += backward_cross_entropy(
                    states, network.tokens.weight, torch.from_numpy(targets).to(network.device)
                )
                optimizer.step()
            self.epoch_done(epoch + 1, total / max(len(histories.item), 1))

    def _all_states(self, windows: Int64Array) -> torch.Tensor:
        """The state before each interaction of windows, int64 (w, 2), one after the other, float32 (n, width)."""
        import torch

        histories, network = self._histories, self._network
        tokens = padded([histories.before[first:last] for first, last in windows], histories.start)
        told = np.arange(tokens.shape[1]) < (windows[:, 1] - windows[:, 0])[:, None]
        states = network.states(torch.from_numpy(tokens).to(network.device))
        return states[torch.from_numpy(told).to(network.device)]

    def _tells(self, query: Query) -> bool:
        """Whether anything is known of the query's user."""
        known = self._histories.known(query.user)
        if known > query.position:
            raise LeakageError(
                f"fitted on {known} interactions of user index {query.user}, of which the query sees the first "
                f"{query.position}; fit SASRec and GRU4Rec on a log in which no user goes on after their query"
            )
        return known > 0

    def _vectors(self) -> FloatArray:
        return self._network.tokens.weight.detach().double().cpu().numpy()

    def _last_states(self, queries: list[Query]) -> FloatArray:
        """The state in which each query's history ends, float64 (q, width)."""
        import torch

        contexts = [self._histories.context(query.user, self.config.window) for query in queries]
        tokens = torch.from_numpy(padded(contexts, self._histories.start))
        self._network.parts.eval()
        with torch.no_grad():
            states = self._network.states(tokens.to(self._network.device))
        ends = np.array([len(context) for context in contexts]) - 1
        return states[torch.arange(len(queries)), torch.from_numpy(ends)].double().cpu().numpy()


def _one_cycle(progress: float, warm_up: float = 0.1) -> float:
    """Share of the highest learning rate when `progress`, 0 to 1, of the training is done (Smith and Topin, 2019)."""
    if progress < warm_up:
        return max(progress, 0.001) / warm_up
    return 0.5 * (1 + math.cos(math.pi * (progress - warm_up) / (1 - warm_up)))
