"""What is released: what a wheel holds; and that wheel and sdist, installed apart, run an experiment."""

import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import venv
from email.parser import HeaderParser
from pathlib import Path
from zipfile import ZipFile

import pytest

import r2rec_bench

ROOT = Path(__file__).parents[1]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]


def built(kind: str, out: Path) -> Path:
    """A wheel or an sdist of this checkout, made by the backend itself, which is installed for development."""
    code = f"import sys; from hatchling.build import build_{kind}; print(build_{kind}(sys.argv[1]))"
    made = subprocess.run([sys.executable, "-c", code, str(out)], cwd=ROOT, capture_output=True, text=True, check=True)
    return out / made.stdout.split()[-1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    return ZipFile(built("wheel", tmp_path_factory.mktemp("wheel")))


def test_the_version_is_said_in_one_place(wheel: ZipFile):
    [metadata] = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    assert HeaderParser().parsestr(wheel.read(metadata).decode())["Version"] == VERSION
    assert r2rec_bench.__version__ == VERSION
    said = re.compile(rf"""["']{re.escape(VERSION)}["']""")
    others = [*(ROOT / "r2rec_bench").rglob("*.py"), *(ROOT / "baselines").rglob("*.py")]
    assert [path for path in others if said.search(path.read_text("utf-8"))] == []


def test_the_changelog_begins_with_what_is_not_released_or_with_this_version():
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert headings[0] in {"Unreleased", VERSION}


def test_a_wheel_has_all_that_the_package_reads_and_nothing_else(wheel: ZipFile):
    names = set(wheel.namelist())
    for folder in ("experiments", "ablations"):
        ours = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*.yaml")}
        assert {f"r2rec_bench/shipped/{name}" for name in ours} <= names
    assert {
        "r2rec_bench/py.typed",
        "r2rec_bench/cli/init.template",
        "r2rec_bench/llm/weights/nano/model.safetensors",
        "r2rec_baselines/__init__.py",
    } <= names
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"r2rec_bench", "r2rec_baselines", f"r2rec_bench-{VERSION}.dist-info"}
    assert [name for name in names if name.endswith((".parquet", ".dat", ".pyc"))] == []


def test_a_wheel_declares_command_and_plugin(wheel: ZipFile):
    said = wheel.read(f"r2rec_bench-{VERSION}.dist-info/entry_points.txt").decode()
    assert "r2rec = r2rec_bench.cli:main" in said
    assert "baselines = r2rec_baselines" in said


@pytest.mark.long
@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_installed_apart_it_runs_an_experiment(kind: str, tmp_path: Path):
    """Needs the package index, or pip's cache of it."""
    archive = built(kind, tmp_path)
    if kind == "sdist":
        with tarfile.open(archive) as packed:
            tops = {name.split("/")[1] for name in packed.getnames() if "/" in name}
        assert {"pyproject.toml", "Makefile", "CHANGELOG.md", "docs", "tests"} <= tops
    venv.create(tmp_path / "venv", with_pip=True)
    binaries = tmp_path / "venv" / "bin"
    subprocess.run([binaries / "pip", "install", "--quiet", f"{archive}[train,baselines,report]"], check=True)
    places = {"R2REC_CACHE": str(tmp_path / "cache"), "R2REC_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    alone = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "R2REC_DATA"}}

    def r2rec(*arguments: str) -> str:
        done = subprocess.run(
            [binaries / "r2rec", *arguments],
            cwd=tmp_path,
            env=alone | places,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "No problems found." in r2rec("doctor")
    r2rec("init", "--examples", ".")
    smaller = [f"--set={one}" for one in ("candidates.users=30", "queries.n=300", "stages.grpo.steps=2")]
    told = json.loads(
        r2rec("run", "experiments/quickstart.yaml", "--set=data=synthetic", *smaller, "--json", "--quiet")
    )
    assert [row["label"] for row in told["rows"]][-1] == "R2Rec (nano): sft + grpo"
    assert Path(tmp_path, told["report"]).is_file()
