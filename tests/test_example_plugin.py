"""The example plug-in as a stranger would use it: installed from its folder, found by its entry point alone."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "plugin"
OURS = {"well_read", "foresight", "markov"}


@dataclass(frozen=True)
class Installed:
    """Where the example was installed, apart from everything else."""

    site: Path

    def r2rec(self, *arguments: str) -> str:
        """What the command prints in a process of its own, which finds the folder as it finds any other."""
        code = "from r2rec_bench.cli import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=self.site.parent,
            env={**os.environ, "PYTHONPATH": str(self.site), "R2REC_CACHE": str(self.site.parent / "cache")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("stranger")
    shutil.copytree(EXAMPLE, folder / "source")
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--quiet", "--disable-pip-version-check"]
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        *offline,
        "--target",
        str(folder / "site"),
        str(folder / "source"),
    ]
    subprocess.run(command, check=True)
    return Installed(folder / "site")


def test_it_is_short():
    """All of it in one file of fewer than 60 lines, blank ones not counted, and a readme of 15."""
    [code] = (EXAMPLE / "src").rglob("*.py")
    assert sum(bool(line.strip()) for line in code.read_text("utf-8").splitlines()) < 60
    assert len((EXAMPLE / "README.md").read_text("utf-8").splitlines()) <= 15


def test_its_rules_are_kept(installed: Installed):
    lines = installed.r2rec("check", "--package", "r2rec_example").splitlines()
    assert {line.split()[2] for line in lines if line.startswith("ok")} == OURS
    assert len(lines) == len(OURS)


@pytest.mark.slow
def test_an_experiment_runs_with_all_three(installed: Installed):
    said = installed.r2rec("run", str(EXAMPLE / "experiment.yaml"), "--out", str(installed.site.parent / "reports"))
    assert "markov" in said
    assert "R2Rec (nano): grpo" in said
    [log] = installed.site.parent.glob("cache/artifacts/grpo/*/log.json")
    assert "reward/foresight" in log.read_text("utf-8")
    asked = [file.read_text("utf-8") for file in installed.site.parent.glob("cache/artifacts/evaluation/*/asking.json")]
    assert asked
    assert all('"use": "well_read"' in one for one in asked)


def test_the_entry_point_is_what_finds_it(installed: Installed, tmp_path: Path):
    listed = installed.r2rec("list")
    assert all(name in listed for name in OURS)
    bare = Installed(tmp_path / "site")
    shutil.copytree(installed.site, bare.site, ignore=shutil.ignore_patterns("*.dist-info"))
    assert (bare.site / "r2rec_example.py").is_file()
    unlisted = bare.r2rec("list")
    assert not any(name in unlisted for name in OURS)
