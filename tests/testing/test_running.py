"""Contracts as a plug-in's author calls them: by name, by package, ready for use, and from the command line."""

import importlib
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from r2rec_bench.chains.base import chain_samplers
from r2rec_bench.chains.recent import Recent, RecentConfig
from r2rec_bench.cli.app import app
from r2rec_bench.core.errors import ConfigError, InputError
from r2rec_bench.data.sources.folder import FolderConfig
from r2rec_bench.testing import (
    ContractError,
    Status,
    check,
    check_chain_sampler,
    check_negative_sampler,
    check_plugin,
    contract_of,
)
from r2rec_bench.testing.running import verdict
from r2rec_bench.testing.worlds import moments, worlds

PLUGIN = '''
from r2rec_bench.data.base import NegativeSampler, negative_samplers
from r2rec_bench.data.negatives.uniform import Uniform


@negative_samplers.register("first")
class First(Uniform):
    """The same as `uniform`.

    Source: this test.
    """
'''
SPOILT = (
    PLUGIN
    + """
    def draw(self, touched, positive, popularity, n, rng):
        return touched[:1].repeat(n)
"""
)


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Writes a package with one negative sampler, and imports it."""
    negatives = importlib.import_module("r2rec_bench.data.base").negative_samplers
    negatives.names()
    monkeypatch.setattr(negatives, "_classes", dict(negatives._classes))
    monkeypatch.syspath_prepend(tmp_path)

    def write(source):
        (tmp_path / "checked_plugin.py").write_text(source)
        return "checked_plugin"

    yield write
    sys.modules.pop("checked_plugin", None)


def test_a_package_is_checked_in_one_line(plugin):
    [found] = check_plugin(plugin(PLUGIN))
    assert (found.family, found.name, found.status) == ("negatives", "first", Status.OK)


def test_a_broken_package_is_told_what_is_wrong(plugin):
    with pytest.raises(ContractError, match="First breaks the rule negatives_are_distinct") as caught:
        check_plugin(plugin(SPOILT))
    assert caught.value.expected == "no item twice"


def test_a_package_that_is_not_there_or_brings_nothing_is_refused(plugin):
    with pytest.raises(InputError, match="no package 'no_such_package' to check"):
        check_plugin("no_such_package")
    with pytest.raises(InputError, match="the package 'checked_plugin' registers no component"):
        check_plugin(plugin("x = 1"))


def test_the_command_says_a_line_each_and_fails_with_the_broken_rule(plugin):
    importlib.import_module(plugin(SPOILT))
    result = CliRunner().invoke(app, ["check", "--package", "checked_plugin"])
    assert result.exit_code == 1
    line, rule, *_ = result.stdout.splitlines()
    assert line.split()[:3] == ["BROKEN", "negatives", "first"]
    assert "distinct items" in rule
    good = CliRunner().invoke(app, ["check", "negatives", "uniform"])
    assert (good.exit_code, good.stdout.split()[:3]) == (0, ["ok", "negatives", "uniform"])


def test_by_name_with_settings_and_ready_for_use():
    check("negatives", "popularity")
    check("negatives", {"use": "uniform"})
    check_negative_sampler(importlib.import_module("r2rec_bench.data.negatives.uniform").Uniform())
    with pytest.raises(ConfigError, match=r"unknown chain sampler 'recnt'.* Did you mean 'recent'"):
        check("chains", "recnt")
    with pytest.raises(ConfigError, match="half_life_days"):
        check("chains", {"use": "recent", "half_life": 3})


def test_a_class_or_a_stranger_to_the_family_is_refused():
    with pytest.raises(TypeError, match="ready for use; got its class"):
        check_chain_sampler(Recent)
    with pytest.raises(TypeError, match="a ChainSampler; got"):
        check_chain_sampler(contract_of)


def test_one_rule_can_be_tried_alone_and_a_misspelt_one_is_told_the_nearest():
    sampler = Recent(RecentConfig())
    contract_of("chains").check(sampler, only="names_its_source")
    with pytest.raises(InputError, match="Did you mean 'names_its_source'"):
        contract_of("chains").check(sampler, only="name_its_source")


def test_what_needs_settings_is_skipped_by_name_and_says_which():
    found = verdict("sources", "folder")
    assert (found.status, found.reason) == (Status.SKIPPED, "needs settings: name")


def test_what_cannot_be_had_is_skipped_with_the_reason(monkeypatch):
    monkeypatch.delenv("R2REC_DATA", raising=False)
    found = verdict("sources", "folder", FolderConfig(name="my-shop").model_dump())
    assert found.status is Status.SKIPPED
    assert "R2REC_DATA is not set" in found.reason


def test_the_worlds_are_as_mean_as_they_say():
    rated, unrated = worlds()
    log = rated.log
    counts = np.diff(log.offsets())
    assert {0, 1, 2} <= set(counts.tolist())
    assert (np.diff(log.time)[np.diff(log.user) == 0] == 0).any()  # tied times
    assert np.isnan(log.rating).any()
    assert not np.isnan(log.rating).all()
    assert np.isnan(unrated.log.rating).all()
    assert set(range(log.n_items)) - set(log.item.tolist()) >= {log.n_items - 1}
    assert {moment.query.position for moment in moments()} >= {0, 1, 2}
    assert chain_samplers.names()
