"""Teaching a nano model to read chains, on generated worlds only: what the "original LLM" of the tables has seen.

The corpus is worlds of many sizes, sparsities and strengths of the peer effect, asked in every form that the compact
wording has, so that the model learns to read evidence and not one world's habits. No real data has any part in it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
from pydantic import Field

from r2rec_bench.chains.closed_uniform import ClosedUniform, ClosedUniformConfig
from r2rec_bench.core.environment import capture
from r2rec_bench.core.fingerprint import code_digest, digest
from r2rec_bench.core.seeds import derive, generator
from r2rec_bench.core.texts import Trace
from r2rec_bench.core.types import NONE_RATING, RATINGS, Visibility
from r2rec_bench.core.unfinished import partial_of, unfinished_of
from r2rec_bench.data.base import Dataset, Fold
from r2rec_bench.data.sources.synthetic import Synthetic, SyntheticConfig
from r2rec_bench.data.splits.leave_last_out import LeaveLastOut
from r2rec_bench.graph import InteractionGraph
from r2rec_bench.llm.base import Checkpoint
from r2rec_bench.llm.nano import Nano, NanoShape, new_model, new_tokenizer
from r2rec_bench.prompts.base import PromptStrategy
from r2rec_bench.prompts.compact import Compact
from r2rec_bench.prompts.direct import Direct
from r2rec_bench.prompts.progressive_mask import ProgressiveMask
from r2rec_bench.traces.collect import Asker, collect
from r2rec_bench.traces.queries import QueriesConfig, draw_queries
from r2rec_bench.traces.store import read_traces, write_traces
from r2rec_bench.traces.template import Template
from r2rec_bench.training.base import Report, Stage, StageContext, StageResult, stages
from r2rec_bench.training.sft import Sft, SftConfig

_LOG_EVERY = 10
_SHOWN = 16
_CORPUS, _TRACES = "corpus", "traces.parquet"
_MOST_SINGLE = 4
"""Single chains take three steps each; more of them make long texts that teach little."""


class PretrainConfig(SftConfig):
    """The corpus, the shape of the model, and how it is trained."""

    lr: Annotated[float, Field(gt=0, lt=1)] = 3e-3
    batch_size: Annotated[int, Field(ge=1)] = 128
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.01
    group_by_length: bool = True
    worlds: Annotated[int, Field(ge=1)] = 60
    """Generated worlds in the corpus."""
    questions: Annotated[int, Field(ge=1)] = 4_000
    """Per world."""
    shape: NanoShape = NanoShape()
    """Width, layers and heads of the model."""


@stages.register("pretrain")
class Pretrain(Stage):
    """A nano model from random weights, trained on generated worlds; what it starts from and is given is not read.

    Source: this project.
    """

    config: PretrainConfig
    code = ("r2rec_bench.chains", "r2rec_bench.data", "r2rec_bench.graph", "r2rec_bench.traces")

    def run(self, start: Checkpoint, traces: Sequence[Trace], out: Path, context: StageContext) -> StageResult:
        c = self.config
        read = self._corpus(context)
        with TemporaryDirectory() as folder:
            new_model(c.shape, derive(context.seed, "nano") % 2**31).save_pretrained(folder)
            new_tokenizer().save_pretrained(folder)
            settings = {name: getattr(c, name) for name in SftConfig.model_fields}
            return Sft(SftConfig(**settings)).run(Checkpoint(Path(folder)), read, out, context)

    def _corpus(self, context: StageContext) -> list[Trace]:
        """What is read; kept beside the stage's checkpoints, as it takes its time too."""
        c, unfinished = self.config, context.unfinished

        def made() -> list[Trace]:
            return corpus(c.worlds, c.questions, context.seed, lambda done: context.report(done, c.worlds, {}))

        if unfinished is None:
            return made()
        kept = unfinished.find(_CORPUS) or unfinished.keep(_CORPUS, lambda out: write_traces(made(), out / _TRACES))
        return read_traces(kept / _TRACES)


def write_weights(config: PretrainConfig, seed: int, out: Path, report: Report) -> None:
    """A new nano backbone in the folder `out`: weights, tokenizer, the recipe that made them, and the training log.

    Everything is written beside `out` first; what was interrupted goes on when the same is asked for again.
    """
    same = digest([config.model_dump(mode="json"), seed, code_digest([__name__.partition(".")[0]])])[:_SHOWN]
    place = out.with_name(f"{out.name}-{same}")
    unfinished, made = unfinished_of(place), partial_of(place)
    context = StageContext(
        Nano(), ProgressiveMask(), Compact(), (NONE_RATING, *RATINGS), seed, report, unfinished=unfinished
    )
    shutil.rmtree(made, ignore_errors=True)  # of a process that died
    made.mkdir(parents=True)
    try:
        result = Pretrain(config).run(Checkpoint(made), (), made, context)
        recipe = {
            "command": "r2rec pretrain OUT",
            "seed": seed,
            "settings": config.model_dump(mode="json"),
            "corpus": {"traces": result.examples, "tokens": result.tokens, "data": "generated worlds only"},
            "environment": asdict(capture()),
        }
        (made / "recipe.json").write_text(json.dumps(recipe, indent=2) + "\n", encoding="utf-8")
        rows = [json.dumps({name: round(value, 6) for name, value in row.items()}) for row in result.log[::_LOG_EVERY]]
        (made / "training_log.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
        made.rename(out)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    unfinished.clear()


def corpus(worlds: int, questions: int, seed: int, progress: Callable[[int], None]) -> list[Trace]:
    """Traces of `worlds` generated worlds, `questions` each (fewer where a filter drops one), shuffled together."""
    traces: list[Trace] = []
    for number in range(worlds):
        traces += _world(number, questions, seed)
        progress(number + 1)
    order = generator(seed, "corpus").permutation(len(traces))
    return [traces[k] for k in order]


def _world(number: int, questions: int, seed: int) -> list[Trace]:
    rng = generator(seed, "world", number)
    dataset = Synthetic(_parameters(rng, number)).load()
    outcomes = RATINGS if rng.random() < 0.15 else (NONE_RATING, *RATINGS)
    touched = 1.0 if outcomes == RATINGS else 0.35
    latest = int(rng.integers(5, 60))
    log = LeaveLastOut().split(dataset.log).visible_log(Fold.TEST)
    graph = InteractionGraph(log, Visibility.PAST if rng.random() < 0.2 else Visibility.FOLD)
    traces: list[Trace] = []
    # Half the questions with thoughts, half without: the model can then be asked either way.
    for strategy in (ProgressiveMask(), Direct()):
        config = QueriesConfig(n=(questions + 1) // 2, touched=touched, latest=latest)
        queries = draw_queries(log, config, derive(seed, "queries", number, type(strategy).__name__))
        asker = _asker(graph, dataset, _sampling(rng), strategy, outcomes, seed)
        traces += collect(asker, Template(), queries, lambda done, n: None).traces
    return traces


def _parameters(rng: np.random.Generator, number: int) -> SyntheticConfig:
    def between(low: float, high: float) -> float:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    return SyntheticConfig(
        domain=("movies", "books", "electronics")[number % 3],
        users=int(between(800, 5_000)),
        items=int(between(400, 3_000)),
        interactions=int(between(15, 120)),
        taste=float(rng.uniform(0.3, 1.5)),
        peer_effect=between(5, 400),
        followers=int(rng.integers(2, 20)),
        skew=float(rng.uniform(0.5, 1.1)),
        noise=float(rng.uniform(0.0, 0.3)),
        seed=int(rng.integers(2**31)),
    )


def _sampling(rng: np.random.Generator) -> ClosedUniformConfig:
    """Mostly what experiments use by default, and a share of everything else."""
    evidence = "single" if rng.random() < 0.15 else "bundle"
    return ClosedUniformConfig(
        n=int(rng.integers(1, _MOST_SINGLE + 1)) if evidence == "single" else int(rng.choice([8, 8, 8, 6, 4, 2])),
        evidence=evidence,
        order="any" if rng.random() < 0.15 else "forward",
        window=int(rng.choice([5, 10, 10, 20])),
    )


def _asker(
    graph: InteractionGraph,
    dataset: Dataset,
    sampling: ClosedUniformConfig,
    strategy: PromptStrategy,
    outcomes: tuple[int, ...],
    seed: int,
) -> Asker:
    return Asker(
        graph,
        dataset.catalog,
        ClosedUniform(sampling),
        strategy,
        Compact(),
        lambda text: len(text.split()),
        outcomes,
        seed,
    )
