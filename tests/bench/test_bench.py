"""Measurements: what is derived from runs, how they are kept, and the command that makes them."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from r2rec_bench.bench.__main__ import app
from r2rec_bench.bench.base import (
    Measurement,
    at_least,
    at_most,
    per_second,
    side_by_side,
    times,
)
from r2rec_bench.bench.report import Group, load, save
from r2rec_bench.core.environment import Environment
from r2rec_bench.core.errors import InputError

ENVIRONMENT = Environment("0123456789", True, {"numpy": "2.0", "trl": "1"}, "3.12", "Linux x86", "Z80", 2, 8.0, None)
GROUP = Group(
    about="How long it takes.",
    command="python -m r2rec_bench.bench startup",
    scale=1.0,
    environment=ENVIRONMENT,
    load=0.25,
    seconds=12.0,
    measurements=(Measurement("a", "s", (1.0,)),),
)


def test_the_median_of_runs_counts_and_seconds_are_the_better_the_fewer():
    one = Measurement("a", "s", ours=(4.0, 1.0, 2.0), plain=(30.0, 10.0, 20.0), beside="a loop", target=times(10))
    assert (one.value, one.ratio, one.holds) == (2.0, 10.0, True)
    assert replace(one, target=times(10.5)).holds is False


def test_rates_are_the_better_the_more():
    ours = per_second(600, (3.0, 2.0, 6.0))
    assert ours == (200.0, 300.0, 100.0)
    one = Measurement("a", "chains/s", ours, (100.0,), "a loop", at_least(200))
    assert (one.ratio, one.holds) == (2.0, True)
    assert replace(one, target=at_least(201)).holds is False


@pytest.mark.parametrize(("limit", "holds"), [(2.0, True), (1.9, False)])
def test_a_target_may_stand_by_itself(limit, holds):
    one = Measurement("a", "s", (2.0,), target=at_most(limit))
    assert (one.ratio, one.holds) == (None, holds)


def test_what_explains_another_figure_has_no_target():
    assert Measurement("a", "s", (2.0,)).holds is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"ours": ()},
        {"ours": (1.0,), "plain": (1.0,)},
        {"ours": (1.0,), "beside": "a loop"},
        {"ours": (1.0,), "target": times(2)},
    ],
)
def test_a_measurement_without_its_runs_is_our_own_mistake(wrong):
    with pytest.raises(ValueError, match="'a'"):
        Measurement("a", "s", **wrong)


def test_both_are_run_by_turns():
    said = []
    ours, plain = side_by_side(lambda: said.append("ours"), lambda: said.append("plain"), runs=2)
    assert said == ["ours", "plain"] * 2
    assert len(ours) == len(plain) == 2


def test_work_is_timed_by_the_clock_that_is_given():
    ticks = iter([1.0, 4.0, 10.0, 15.0])
    assert side_by_side(lambda: None, lambda: None, 1, ticks.__next__) == ((3.0,), (5.0,))


def test_what_was_measured_is_kept_and_told(tmp_path: Path):
    kept = Measurement("kept", "s", (0.0123,), (1.5,), "a loop", times(100))
    missed = Measurement("missed", "chains/s", (1_234_567.0,), target=at_least(2e6))
    group = replace(GROUP, measurements=(kept, missed))
    save(tmp_path, {"startup": group})
    assert load(tmp_path) == {"startup": group}
    report = (tmp_path / "report.md").read_text("utf-8")
    assert "1 of 2 targets hold" in report
    assert " 0.0123 s | 1.5 s: a loop | 122 × | ≥ 100 × | yes " in " ".join(report.split())
    assert "1,234,567 chains/s" in report
    assert "**no**" in report
    assert "12 s at commit 0123456 with changes, load 0.2; 2 cores of Z80, 8 GiB, Linux x86" in report


def test_a_quick_look_is_told_from_a_measurement(tmp_path: Path):
    save(tmp_path, {"startup": replace(GROUP, scale=0.01)})
    assert "no target is judged by it" in (tmp_path / "report.md").read_text("utf-8")


def test_a_file_of_something_else_is_refused(tmp_path: Path):
    (tmp_path / "bench.json").write_text('{"startup": {}}')
    with pytest.raises(InputError, match=r"bench\.json is no file of measurements \(7 problems\)\. Delete it\."):
        load(tmp_path)


def test_the_command_measures_what_is_asked_for_and_keeps_the_rest(tmp_path: Path):
    save(tmp_path, {"gone": GROUP})
    command = [sys.executable, "-m", "r2rec_bench.bench", "evaluation", "--out", str(tmp_path), "--scale", "0.002"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "bench.json").read_text("utf-8"))
    assert list(found) == ["evaluation", "gone"]
    assert "metrics of 12 users" in found["evaluation"]["measurements"][0]["name"]
    assert found["evaluation"]["command"] == "python -m r2rec_bench.bench evaluation --scale 0.002"


def test_an_unknown_measurement_is_refused_before_anything_is_measured(tmp_path: Path):
    with pytest.raises(InputError, match=r"unknown measurement 'startupp'\. Did you mean 'startup'\?"):
        CliRunner().invoke(app, ["startup", "startupp", "--out", str(tmp_path)], catch_exceptions=False)
    assert not list(tmp_path.iterdir())


def test_what_fails_is_said_and_the_others_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def measured(name: str, scale: float) -> Group:
        if name == "startup":
            raise RuntimeError("no r2rec")
        return GROUP

    monkeypatch.setattr("r2rec_bench.bench.__main__.GROUPS", ("startup", "other"))
    monkeypatch.setattr("r2rec_bench.bench.__main__.measured_alone", measured)
    done = CliRunner().invoke(app, ["--out", str(tmp_path)])
    assert done.exit_code == 1
    assert "startup failed: RuntimeError: no r2rec" in done.output
    assert list(load(tmp_path)) == ["other"]


def test_what_is_stopped_keeps_the_groups_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def measured(name: str, scale: float) -> Group:
        if name == "second":
            raise KeyboardInterrupt
        return GROUP

    monkeypatch.setattr("r2rec_bench.bench.__main__.GROUPS", ("startup", "second", "third"))
    monkeypatch.setattr("r2rec_bench.bench.__main__.measured_alone", measured)
    done = CliRunner().invoke(app, ["--out", str(tmp_path)])
    assert done.exit_code != 0
    assert "startup (1 of 3) ...\n  12 s\n  a: 1 s\nsecond (2 of 3) ...\n" in done.output
    assert list(load(tmp_path)) == ["startup"]
