"""The placebo: evidence that looks right and says nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from r2rec_bench.chains.base import ChainSampler, chain_samplers
from r2rec_bench.core.types import Chain, Evidence, FloatArray
from r2rec_bench.graph import Closures, VisibleGraph


@chain_samplers.register("shuffled")
class Shuffled(ChainSampler):
    """Real evidence about another item, drawn uniformly, told as if it were about the target.

    The user's own edges are true, and so is every number, of that other item: as random candidates' numbers are
    distributed, so are these. Only what ties them to the target is false, which is what makes it a placebo: peers are
    said to have gone on to the target. Evidence is taken in proportion to nothing, as by `closed_uniform`.

    Source: random-chains ablation of R2Rec (arXiv 2506.05069); the permutation over items is this project's reading.
    """

    def weights(self, closures: Closures) -> FloatArray:
        return np.ones(len(closures))

    def sample(self, visible: VisibleGraph, target: int, rng: np.random.Generator) -> Evidence:
        if visible.n_items == 1:
            return Evidence(visible.query, target)
        other = int(rng.integers(visible.n_items - 1))
        real = super().sample(visible, other + (other >= target), rng)
        # An own edge to the target may be the label: where the other item's evidence starts there, it is left out.
        return Evidence(
            visible.query,
            target,
            chains=tuple(_told_of(chain, target) for chain in real.chains if chain.anchor != target),
            bundles=tuple(bundle for bundle in real.bundles if bundle.anchor.item != target),
        )


def _told_of(chain: Chain, target: int) -> Chain:
    *known, last = chain.edges
    return replace(chain, edges=(*known, replace(last, item=target)))
