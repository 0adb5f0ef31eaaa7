"""The component that CONTRIBUTING.md shows is taken out of it and used as a reader would."""

import importlib
import re
import sys
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest
import yaml

from r2rec_bench.chains.base import ChainSampler, chain_samplers
from r2rec_bench.core.config import Config, Family, Spec, validate
from r2rec_bench.core.errors import ConfigError
from r2rec_bench.core.types import SECONDS_PER_DAY, InteractionLog, Query, Visibility
from r2rec_bench.data.sources.synthetic import Synthetic, SyntheticConfig
from r2rec_bench.graph import InteractionGraph
from r2rec_bench.testing import check

TEXT = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text("utf-8")


class Excerpt(Config):
    chains: Annotated[Spec, Family("chains")]


def block(language: str) -> str:
    """The first fenced block of a language."""
    found = re.search(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    assert found, f"CONTRIBUTING.md has no {language} block"
    return found.group(1)


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """The YAML that chooses the example, which has been saved and imported."""
    monkeypatch.setattr(chain_samplers, "_classes", dict(chain_samplers._classes))
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "contributed_sampler.py").write_text(block("python"))
    importlib.import_module("contributed_sampler")
    yield yaml.safe_load(block("yaml"))
    del sys.modules["contributed_sampler"]


def gaps(times: list[tuple[int, int]]) -> list[float]:
    return [(there - here) / SECONDS_PER_DAY for here, there in times]


def test_it_draws_valid_chains_and_prefers_short_gaps(written: dict[str, object]):
    log = Synthetic(SyntheticConfig(users=200, items=60, interactions=25)).load().log
    last, target = int(log.offsets()[1]) - 1, 0
    visible = InteractionGraph(log, Visibility.PAST).visible(Query(0, int(log.time[last]), last))
    sampler = validate(Excerpt, written, "CONTRIBUTING.md").chains.build()
    assert isinstance(sampler, ChainSampler)
    closures = visible.closures(target, forward=True)
    possible = list(zip(closures.anchor_time.tolist(), closures.target_time.tolist(), strict=True))
    drawn = [sampler.sample(visible, target, np.random.default_rng(seed)).chains for seed in range(100)]
    times = [(chain.edges[1].time, chain.edges[2].time) for chains in drawn for chain in chains]
    assert {len(chains) for chains in drawn} == {sampler.config.n}
    assert set(times) <= set(possible)
    assert np.mean(gaps(times)) < np.mean(gaps(possible))


def test_a_chain_weighs_half_at_the_stated_gap(written: dict[str, object]):
    """Three people touched item 0 at once; two went on to item 1, at once and after seven days."""
    user, item = np.array([0, 1, 1, 2, 2], np.int32), np.array([0, 0, 1, 0, 1], np.int32)
    time = np.array([0, 0, 0, 0, 7], np.int64) * SECONDS_PER_DAY
    log = InteractionLog(user, item, np.full(5, np.nan, np.float32), time, ("u0", "u1", "u2"), ("i0", "i1"))
    closures = InteractionGraph(log, Visibility.FOLD).visible(Query(0, 0, 1)).closures(1, forward=True)
    sampler = validate(Excerpt, written, "CONTRIBUTING.md").chains.build()
    assert sorted(sampler.weights(closures)) == pytest.approx([0.5, 1])


def test_it_keeps_the_contract_of_its_family(written: dict[str, object]):
    check("chains", written["chains"])


def test_a_misspelt_setting_is_refused_as_promised(written: dict[str, object]):
    chains = dict(written["chains"])
    chains["half_weight_day"] = chains.pop("half_weight_days")
    with pytest.raises(ConfigError, match="half_weight_days"):
        validate(Excerpt, {"chains": chains}, "CONTRIBUTING.md")
