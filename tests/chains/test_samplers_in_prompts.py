"""What every sampler finds can be told in both wordings, taught and filtered, and says no more than is so."""

import re
from typing import get_args

import pytest

from r2rec_bench.chains.base import chain_samplers
from r2rec_bench.core.types import NONE_RATING, RATINGS, Visibility
from r2rec_bench.data.sources.synthetic import Synthetic, SyntheticConfig
from r2rec_bench.graph import InteractionGraph
from r2rec_bench.prompts.base import StrategyConfig, prompt_strategies
from r2rec_bench.prompts.compact import vocabulary
from r2rec_bench.prompts.wordings import wording_named
from r2rec_bench.traces.collect import Asker, collect
from r2rec_bench.traces.queries import QueriesConfig, draw_queries
from r2rec_bench.traces.template import Template

WAYS = [
    (name, evidence)
    for name, cls in chain_samplers
    for evidence in get_args(cls.config_type().model_fields["evidence"].annotation)
]


@pytest.fixture(scope="module")
def world():
    return Synthetic(SyntheticConfig(users=60, items=60, interactions=12)).load()


@pytest.fixture(scope="module")
def queries(world):
    return draw_queries(world.log, QueriesConfig(n=40, touched=0.5), 0)


@pytest.fixture
def asker(world):
    def make(name, evidence, wording):
        cls = chain_samplers.get(name)
        return Asker(
            InteractionGraph(world.log, Visibility.FOLD),
            world.catalog,
            cls(cls.config_type()(n=4, evidence=evidence)),
            prompt_strategies.get("progressive_mask")(StrategyConfig(budget=4096)),
            wording_named(wording),
            lambda text: len(text.split()),
            (NONE_RATING, *RATINGS),
            seed=0,
        )

    return make


@pytest.mark.parametrize(("name", "evidence"), WAYS)
@pytest.mark.parametrize("wording", ["compact", "verbose"])
def test_every_question_becomes_a_sound_trace(name, evidence, wording, asker, queries):
    got = collect(asker(name, evidence, wording), Template(), queries, lambda done, n: None)
    assert (len(got.traces), got.dropped, got.pieces_dropped) == (len(queries), {}, 0)
    assert (got.pieces_kept > len(queries)) == (name != "none")
    if wording == "compact":
        said = {word for trace in got.traces for word in f"{trace.prompt.content} {trace.completion}".split()}
        assert said <= set(vocabulary())


def test_a_walk_is_said_to_end_where_it_ends(asker, queries, world):
    compact, verbose = (asker("random_walk", "single", wording) for wording in ("compact", "verbose"))
    ends = []
    for query in queries:
        codes, words = compact.lesson(query).prompt.pieces, verbose.lesson(query).prompt.pieces
        for k, chain in enumerate(verbose.lesson(query).question.evidence.chains):
            arrived = chain.end == query.target
            assert re.fullmatch(r"#\d+ t r. g\S+" if arrived else r"#\d+ v r.", codes[3 * k + 2])
            assert f'→ "{world.catalog.titles[chain.end]}"' in words[3 * k + 2]
            assert (f'"{world.catalog.titles[query.target]}"' in words[3 * k + 2]) == arrived
            ends.append(arrived)
    assert 0 < sum(ends) < len(ends) / 4
