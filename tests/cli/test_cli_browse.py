"""`r2rec list` and `r2rec show`: what is told of every component, and how it fits a terminal."""

import json
import re
from io import StringIO
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field
from rich.console import Console
from typer.testing import CliRunner, Result

from r2rec_bench.chains.base import ChainSampler, chain_samplers
from r2rec_bench.cli.app import app
from r2rec_bench.core.config import Config, Family, Spec, Tune
from r2rec_bench.core.describe import describe, first_sentence, settings_of
from r2rec_bench.core.registry import FAMILIES, BrokenPlugin, Registry, registry

EVERY = [pytest.param(family, name, id=f"{family}-{name}") for family in FAMILIES for name in registry(family).names()]


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def at_80_columns(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> list[str]:
    out = StringIO()
    monkeypatch.setattr("r2rec_bench.cli.browse.stdout", lambda: Console(width=80, file=out, highlight=False))
    assert invoke(*arguments).exit_code == 0
    return out.getvalue().splitlines()


def test_list_names_every_family_with_its_components():
    lines = [line for line in invoke("list").stdout.splitlines() if line]
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == list(FAMILIES)
    assert any(line.split()[0] == "closed_uniform" and "equally likely" in line for line in lines)


def test_the_whole_list_has_a_line_for_each_component_and_one_family_is_told_in_full(monkeypatch):
    lines = at_80_columns(monkeypatch, "list")
    assert max(map(len, lines)) <= 80
    assert sum(line.startswith("  ") for line in lines) == len(EVERY)
    told = " ".join(" ".join(at_80_columns(monkeypatch, "list", "chains")).split())
    for _, component in chain_samplers:
        assert first_sentence(component.summary()) in told


def test_list_names_plugins_that_did_not_load(monkeypatch):
    monkeypatch.setattr(Registry, "broken", [BrokenPlugin("mine", "my.module", "ImportError: [no] such")])
    said = "plug-in 'mine' (my.module) did not load: ImportError: [no] such"
    assert said in invoke("list", "splits").stderr
    assert said in invoke("show", "mine").stderr


def test_a_strangers_component_says_whose_it_is(monkeypatch):
    monkeypatch.setattr(chain_samplers, "_classes", dict(chain_samplers._classes))

    @chain_samplers.register("theirs")
    class Theirs(ChainSampler):
        """Theirs. Not shown."""

    Theirs.__module__ = "stranger.chains"
    listed, shown = invoke("list", "chains").stdout, invoke("show", "theirs").stdout
    assert "From    plug-in stranger\n" in shown
    assert "Code" not in shown
    assert re.search(r"theirs +Theirs\.  \(plug-in stranger\)\n", listed)
    assert "recent" in listed
    assert "(r2rec-bench" not in listed


def test_list_as_json_tells_what_show_tells():
    told = {(one["family"], one["name"]): one for one in json.loads(invoke("list", "--json").stdout)}
    assert len(told) == len(EVERY)
    window = next(s for s in told["chains", "recent"]["settings"] if s["name"] == "window")
    assert (window["default"], window["limits"], window["searched"]) == ("10", "1 to 1000", "2 to 50 (log)")


@pytest.mark.parametrize(("family", "name"), EVERY)
def test_show_fits_80_columns_and_tells_every_setting(family, name, monkeypatch):
    lines = at_80_columns(monkeypatch, "show", family, name)
    head = lines[0].split()
    assert head == [name, f"({family})"]
    assert lines[-1].startswith("Code")
    assert max(map(len, lines[:-1])) <= 80
    for key in registry(family).get(name).config_type().model_fields:
        assert any(line.startswith(f"  {key}: ") for line in lines)


@pytest.mark.parametrize(("family", "name"), EVERY)
def test_what_is_told_is_words_and_not_python(family, name):
    described = describe(family, name, registry(family).get(name))
    assert described.purpose
    assert described.path
    assert described.path.is_file()
    for setting in (*described.settings, *(part for whole in described.settings for part in whole.parts)):
        assert not re.search(r"Optional|Union|Literal|Annotated|FieldInfo|typing|tuple\[|NoneType", setting.kind)


def test_show_gives_settings_with_range_default_and_meaning():
    shown = invoke("show", "chains", "closed_uniform").stdout
    assert "  n: 8\n      int; 1 to 64; worth searching 1 to 16\n      Chains, or bundles, per candidate." in shown
    assert "  evidence: bundle\n      one of single, bundle" in shown
    assert "closed_uniform.py:" in shown


def test_show_marks_what_is_required_and_writes_defaults_as_in_yaml():
    assert "path: required\n      text" in invoke("show", "backbones/hf").stdout
    shown = invoke("show", "grpo").stdout
    assert "{reward: format, weight: 0.5}" in shown
    assert "      reward: required\n          one of the rewards" in shown


def test_show_takes_a_family_in_front_in_two_ways():
    apart, together = invoke("show", "metrics", "hr"), invoke("show", "metrics/hr")
    assert apart.stdout == together.stdout == invoke("show", "hr").stdout
    refused = invoke("show", "metric/hr")
    assert refused.exit_code == 2
    assert "Did you mean 'metrics'?" in refused.stderr


def test_show_gives_every_component_of_a_name():
    shown = invoke("show", "popularity").stdout
    assert "popularity  (negatives)" in shown
    assert "popularity  (baselines)" in shown


def test_show_says_which_plugin_a_component_came_in():
    assert "From    r2rec-bench, plug-in r2rec_baselines\n" in invoke("show", "ease").stdout
    assert "From    r2rec-bench\n" in invoke("show", "recent").stdout


class Inner(Config):
    reward: Annotated[Spec, Family("rewards")]
    weight: Annotated[float, Field(gt=0)] = 1.0
    """How much."""


class Odd(Config):
    path: Path | None = None
    kind: Literal["a", "b"] | None = "a"
    only: Literal["x"] = "x"
    depth: Annotated[int, Field(ge=1, le=100_000), Tune(1, 8)] | None = None
    rate: Annotated[float, Field(gt=0, lt=1), Tune(1e-4, 1e-1, log=True)]
    code: Annotated[str, Field(pattern=r"^[a-z]$", min_length=2)] = "no"
    at: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] = (1, 2)
    parts: tuple[Inner, ...] = ()
    inner: Inner = Inner.model_validate({"reward": "exact"})


def test_every_kind_of_setting_is_put_in_words():
    told = {s.name: (s.kind, s.limits, s.default, s.searched) for s in settings_of(Odd)}
    assert told == {
        "path": ("path or null", "", "null", ""),
        "kind": ("one of a, b or null", "", "a", ""),
        "only": ("always x", "", "x", ""),
        "depth": ("int or null", "1 to 100,000", "null", "1 to 8"),
        "rate": ("float", "> 0, < 1", None, "0.0001 to 0.1 (log)"),
        "code": ("text", "length ≥ 2, matches ^[a-z]$", "'no'", ""),
        "at": ("list of int", "not empty, each ≥ 1", "[1, 2]", ""),
        "parts": ("list of settings", "", "[]", ""),
        "inner": ("settings", "", "{reward: exact, weight: 1.0}", ""),
    }
    parts = next(s.parts for s in settings_of(Odd) if s.name == "parts")
    assert [(s.name, s.kind, s.default, s.meaning) for s in parts] == [
        ("reward", "one of the rewards", None, ""),
        ("weight", "float", "1.0", "How much."),
    ]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One. Two.", "One."),
        ("By k. Müller et al. found it. Then more.", "By k. Müller et al. found it."),
        ("No stop", "No stop"),
        ("It weighs i.e. counts. `x` is y.", "It weighs i.e. counts."),
    ],
)
def test_the_first_sentence(text, first):
    assert first_sentence(text) == first
