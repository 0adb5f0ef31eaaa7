"""What `r2rec doctor` says of places, plug-ins and what is not installed; pairs of versions are tried beside it."""

from collections import namedtuple
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from r2rec_bench.cli import doctor as doctor_command
from r2rec_bench.cli.app import app

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def _nothing_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("R2REC_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("R2REC_DATA", raising=False)


def doctor() -> Result:
    return CliRunner().invoke(app, ["doctor"])


@pytest.mark.parametrize(("name", "what"), [("nowhere", "is no folder"), ("empty", "is an empty folder")])
def test_data_that_lie_nowhere_are_a_problem_with_a_remedy(name, what, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("R2REC_DATA", str(tmp_path / name))
    said = doctor()
    assert said.exit_code == 1
    assert f"PROBLEM R2REC_DATA={tmp_path / name} {what}. Remedy: set it to the folder that holds" in said.stdout


def test_data_that_are_found_are_named(tmp_path, monkeypatch):
    (tmp_path / "data" / "my-shop").mkdir(parents=True)
    monkeypatch.setenv("R2REC_DATA", str(tmp_path / "data"))
    said = doctor()
    assert f"Data: R2REC_DATA={tmp_path / 'data'}: my-shop" in said.stdout
    assert "PROBLEM" not in said.stdout


def test_a_full_disk_is_a_problem_with_a_remedy(monkeypatch):
    monkeypatch.setattr(doctor_command.shutil, "disk_usage", lambda _: Usage(2**40, 2**40, 2**28))
    said = doctor()
    assert said.exit_code == 1
    assert "0.2 GiB free at" in said.stdout
    assert "Remedy: set R2REC_CACHE to a folder with room" in said.stdout


def test_components_are_told_by_the_package_they_come_from():
    said = doctor().stdout
    assert "from r2rec-bench, plug-in r2rec_baselines" in said


def test_what_is_not_installed_is_told_with_what_it_is_for_and_how_to_get_it(monkeypatch):
    monkeypatch.setitem(doctor_command.EXTRAS, "ray", ("no_such_library", "--executor ray"))
    said = doctor()
    assert "Not installed: no_such_library; for --executor ray: pip install 'r2rec-bench[ray]'" in said.stdout
    assert said.exit_code == 0
