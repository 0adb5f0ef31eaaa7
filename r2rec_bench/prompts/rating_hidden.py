"""Who did what, but not how they liked it."""

from __future__ import annotations

import math
from dataclasses import replace

from r2rec_bench.core.types import Bundle, Edge, Evidence
from r2rec_bench.prompts.base import PromptStrategy, Question, prompt_strategies
from r2rec_bench.prompts.steps import Step, steps_of
from r2rec_bench.prompts.wording import Thinking


@prompt_strategies.register("rating_hidden")
class RatingHidden(PromptStrategy):
    """Evidence without ratings, asked as `progressive_mask` asks.

    History and candidate are told without theirs too: the user's ratings in the chains are those of the history, and
    a mean over the candidate's audience is one over the peers. What thoughts forecast is still a rating, never shown.

    Source: ablation of R2Rec (arXiv 2506.05069); the reading is this project's.
    """

    thinking = Thinking.STEPS
    rated = False

    def evidence(self, question: Question) -> tuple[Step, ...]:
        rated = steps_of(question.evidence)
        hidden = steps_of(_unrated(question.evidence))
        return tuple(replace(step, next_rating=known.next_rating) for step, known in zip(hidden, rated, strict=True))


def _unrated(evidence: Evidence) -> Evidence:
    chains = tuple(replace(chain, edges=tuple(map(_unrated_edge, chain.edges))) for chain in evidence.chains)
    return replace(evidence, chains=chains, bundles=tuple(map(_unrated_bundle, evidence.bundles)))


def _unrated_edge(edge: Edge) -> Edge:
    return replace(edge, rating=math.nan)


def _unrated_bundle(bundle: Bundle) -> Bundle:
    return replace(bundle, anchor=_unrated_edge(bundle.anchor), mean_rating=math.nan, n_agree=0, agree_rating=math.nan)
