"""LightGCN: embeddings of users and items, smoothed over the graph of who had what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from r2rec_baselines.adam import Adam
from r2rec_baselines.factors import Factors
from r2rec_baselines.triples import Sampler, Triples
from r2rec_bench.core.config import Config, Tune
from r2rec_bench.core.seeds import generator
from r2rec_bench.core.types import Float32Array
from r2rec_bench.evaluation.base import baselines

if TYPE_CHECKING:
    from scipy import sparse


class LightGCNConfig(Config):
    """Settings of LightGCN.

    Attributes:
        factors: length of an embedding.
        layers: how far embeddings travel; 0 is matrix factorisation.
        learning_rate: step of Adam.
        regularization: weight of the squared norms of the embeddings drawn, before they travel.
        steps: gradient steps, each with one propagation over the whole graph.
        batch_size: triples per step, at most as many as there are interactions.
    """

    factors: Annotated[int, Field(ge=1), Tune(32, 128, log=True)] = 64
    layers: Annotated[int, Field(ge=0), Tune(1, 3)] = 3
    learning_rate: Annotated[float, Field(gt=0), Tune(0.002, 0.05, log=True)] = 0.01
    regularization: Annotated[float, Field(ge=0), Tune(1e-5, 0.1, log=True)] = 1e-3
    steps: Annotated[int, Field(ge=1), Tune(100, 800, log=True)] = 400
    batch_size: Annotated[int, Field(ge=1)] = 32_768


@dataclass(frozen=True, slots=True)
class Graph:
    """The bipartite graph with each edge weighing 1 / sqrt(n_u n_i).

    Attributes:
        forth: float32 (users, items).
        back: its transpose.
        n_users: so many embeddings are users', the rest are items'.
        n_items: how many are items'.
    """

    forth: sparse.csr_array
    back: sparse.csr_array
    n_users: int
    n_items: int

    @classmethod
    def of(cls, matrix: sparse.csr_array) -> Graph:
        """That of a float64 (users, items) matrix of ones."""
        from scipy import sparse

        by_item, by_user = (np.maximum(matrix.sum(axis=axis), 1.0) for axis in (0, 1))
        forth = matrix.multiply(1 / np.sqrt(by_user)[:, None]).multiply(1 / np.sqrt(by_item)[None, :])
        forth = sparse.csr_array(forth, dtype=np.float32)
        return cls(forth, forth.T.tocsr(), len(by_user), len(by_item))

    def propagated(self, embeddings: Float32Array, layers: int) -> Float32Array:
        """Mean of the embeddings after 0, 1, ..., `layers` hops, float32 (users + items, f): equations 3 and 4.

        Linear and symmetric, so it is also its own gradient: what the mean asks for is propagated back likewise.
        """
        n_users = self.n_users
        total, here = embeddings.copy(), embeddings
        for _ in range(layers):
            here = np.concatenate([self.forth @ here[n_users:], self.back @ here[:n_users]])
            total += here
        total /= layers + 1
        return total


def loss_and_gradient(
    start: Float32Array, graph: Graph, triples: Triples, layers: int, regularization: float
) -> tuple[float, Float32Array]:
    """BPR's loss per triple, and its gradient by the embeddings before they travel, float32 (users + items, f).

    The loss is -log sigmoid(e_u · e_i - e_u · e_j) with e after propagation, plus regularization / 2 times the squared
    norms of the three embeddings before it: equation 15, divided by the number of triples.
    """
    from scipy import sparse
    from scipy.special import expit

    n_users = graph.n_users
    u, i, j = triples.user, triples.had, triples.had_not
    moved = graph.propagated(start, layers)
    users, items = moved[:n_users], moved[n_users:]
    margin = np.einsum("bf,bf->b", users[u], items[i] - items[j], dtype=np.float32)
    # d loss / d (e_u · e_i) and its negative for j, as a sparse matrix of users by items.
    pull = (-expit(-margin) / len(u)).astype(np.float32)
    pairs = (np.tile(u, 2), np.concatenate([i, j]))
    wanted = sparse.csr_array((np.concatenate([pull, -pull]), pairs), shape=(n_users, graph.n_items))
    gradient = graph.propagated(np.concatenate([wanted @ items, wanted.T @ users]), layers)
    drawn = np.bincount(np.concatenate([u, n_users + i, n_users + j]), minlength=len(start)) / len(u)
    gradient += (regularization * drawn).astype(np.float32)[:, None] * start
    norms = np.einsum("nf,nf->n", start, start)
    return float(np.logaddexp(0, -margin).mean() + regularization / 2 * (drawn @ norms)), gradient


@baselines.register("lightgcn")
class LightGCN(Factors):
    """Matrix factorisation by BPR whose vectors are means over the neighbourhoods in the graph.

    Adam on large batches: the price of a step is the propagation, which no smaller batch makes cheaper. Propagation is
    linear, so its gradient is written here and takes SciPy alone.

    Source: He et al., "LightGCN: Simplifying and Powering Graph Convolution Network for Recommendation" (SIGIR 2020),
    section 3, with layers weighing alike.
    """

    config: LightGCNConfig

    def learn(self, matrix: sparse.csr_array, seed: int) -> None:
        c = self.config
        rng = generator(seed, "baseline", "lightgcn")
        graph, sampler = Graph.of(matrix), Sampler(matrix, self._log.n_items)
        n_users, n_items = graph.n_users, graph.n_items
        embeddings = rng.normal(0, 0.1, (n_users + n_items, c.factors)).astype(np.float32)
        descent = Adam(embeddings, c.learning_rate)
        for _ in range(c.steps if len(sampler) else 0):
            triples = sampler.draw(min(c.batch_size, len(sampler)), rng)
            descent.step(loss_and_gradient(embeddings, graph, triples, c.layers, c.regularization)[1])
        moved = graph.propagated(embeddings, c.layers).astype(np.float64)
        self.n_learnt = np.diff(matrix.indptr).astype(np.int64)
        self.user_vectors, self.item_vectors = moved[:n_users], moved[n_users:]
