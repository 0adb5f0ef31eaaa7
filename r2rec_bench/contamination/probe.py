"""The figures: how often the model has it the right way round, and what it writes word for word.

Source: what is asked for follows Di Palma et al., "Do LLMs Memorize Recommendation Datasets?" (arXiv 2505.10212), and
the row completion test of Bordt et al. (arXiv 2403.06644); the exchange, which gives them a chance level, is this
project's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from r2rec_bench.contamination.facts import Quiz
from r2rec_bench.contamination.likelihood import Likelihood, likelihood
from r2rec_bench.core.types import FloatArray
from r2rec_bench.llm.model import LanguageModel


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """What the model made of the pairs of one kind; NaN where it cannot spell one of the texts.

    Attributes:
        kind: of fact.
        right: float64 (pairs,), 1 where the facts as they are were likelier than with their answers exchanged, 0 where
            less, 0.5 for equals. Chance is 0.5.
        written: float64 (pairs,), share of the two answers that greedy generation writes word for word.
        exchanged: float64 (pairs,), the same after the other fact's cue: what chance writes.
        gain: float64 (pairs,), bits by which a character of the answers is likelier than exchanged.
    """

    kind: str
    right: FloatArray
    written: FloatArray
    exchanged: FloatArray
    gain: FloatArray


def probe(
    model: LanguageModel, asked: Sequence[Quiz], progress: Callable[[int, int], None] = lambda done, n: None
) -> tuple[Finding, ...]:
    """What `model` knows of each quiz."""
    cells = [quiz.cells() for quiz in asked]
    # Equal texts are asked about once, so that they are equals and not apart by a rounding.
    texts = {text: k for k, text in enumerate(dict.fromkeys(text for quiz in cells for text in quiz))}
    done = 0

    def told(n: int) -> None:
        nonlocal done
        done += n
        progress(done, len(texts))

    found = likelihood(model, list(texts), told)
    return tuple(_finding(quiz, [texts[cell] for cell in row], found) for quiz, row in zip(asked, cells, strict=True))


def _finding(quiz: Quiz, rows: Sequence[int], found: Likelihood) -> Finding:
    at = np.array(rows, np.int64).reshape(-1, 4)
    bits, written = found.log_p[at], found.written[at]
    excess = bits[:, :2].sum(axis=1) - bits[:, 2:].sum(axis=1)
    characters = np.array([len(a.answer) + len(b.answer) for a, b in quiz.pairs], np.float64)
    return Finding(
        kind=quiz.kind,
        right=(np.sign(excess) + 1) / 2,
        written=written[:, :2].mean(axis=1),
        exchanged=written[:, 2:].mean(axis=1),
        gain=excess / characters,
    )
