"""What a stranger's package may do: be listed with its name and version, or not be imported at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = """
from pathlib import Path
Path({trap!r}).write_text("code has run")
from r2rec_bench.chains.closed_uniform import ClosedUniform
from r2rec_bench.chains.base import chain_samplers

@chain_samplers.register("planted")
class Planted(ClosedUniform):
    "Comes from [red]elsewhere[/].\\x1b[2J"
"""
MAIN = "from r2rec_bench.cli import main; main()"
IN_A_CHILD = f"""
import atexit, subprocess, sys
atexit.register(lambda: subprocess.run([sys.executable, "-c", {MAIN!r}, "list"], check=True))
"""


@pytest.fixture
def planted(tmp_path) -> Path:
    """An installed package with a plug-in; the file that is there once its code has run."""
    site, trap = tmp_path / "site", tmp_path / "trap"
    folder = site / "planted_package-1.2.3.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: planted-package\nVersion: 1.2.3\n")
    (folder / "entry_points.txt").write_text("[r2rec_bench.plugins]\nplanted = planted\n")
    (site / "planted.py").write_text(PLUGIN.format(trap=str(trap)))
    return trap


def r2rec(planted: Path, *arguments: str, before: str = "", **environment: str) -> str:
    path = os.pathsep.join([str(planted.parent / "site"), os.environ.get("PYTHONPATH", "")])
    told = subprocess.run(
        [sys.executable, "-c", f"{before}\n{MAIN}", *arguments],
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stdout


def test_a_plug_in_is_listed_with_the_distribution_and_version_that_it_came_in(planted):
    (line,) = (line for line in r2rec(planted, "list", "chains").splitlines() if line.startswith("  planted"))
    assert " ".join(line.split()) == (
        "planted Comes from [red]elsewhere[/].\N{REPLACEMENT CHARACTER}[2J (planted-package 1.2.3, plug-in planted)"
    )
    assert planted.exists()


def test_without_plug_ins_no_stranger_is_imported_here_or_in_a_process_begun_from_here(planted):
    assert "planted" not in r2rec(planted, "--no-plugins", "list", "chains", before=IN_A_CHILD)
    assert not planted.exists()
