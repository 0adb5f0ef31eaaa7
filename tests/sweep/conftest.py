"""A tiny sweep, a pipeline that needs no training, and a PostgreSQL server of the session's own."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from r2rec_bench.core.errors import R2RecError
from r2rec_bench.experiment import Experiment
from r2rec_bench.sweep import study as under_test
from tests.worlds import write_tiny

SWEEP = {
    "extends": "tiny.yaml",
    "name": "find",
    "question": "Which learning rate?",
    "trials": 6,
    "search": {"stages.sft.lr": "tune", "chains.n": {"low": 2, "high": 16}},
    "fixed": {"baselines": []},
}


@pytest.fixture
def sweep_file(tmp_path):
    def write(**changes):
        write_tiny(tmp_path)
        file = tmp_path / "sweep.yaml"
        file.write_text(yaml.safe_dump({**SWEEP, **changes}))
        return file

    return write


@dataclass
class FakePipeline:
    """Stages whose objective is a known function of the settings; the best learning rate is 1e-3, the best n 8."""

    experiment: Experiment
    store: object
    watcher: object
    datasets: object

    def stages(self):
        sft = self.experiment.stages[0].settings
        if sft.lr > 5e-3:
            raise R2RecError("sft: loss is nan at step 3")
        worth = 1 - abs(sft.lr - 1e-3) * 100 - abs(self.experiment.chains.settings.n - 8) / 20
        for share in (0.5, 1.0):
            users = SimpleNamespace(metrics={"ndcg@10": None, "hr@1": None})
            result = SimpleNamespace(
                users=users, run_id="0" * 16, mean=lambda _, worth=worth, share=share: worth * share
            )
            yield SimpleNamespace(result=result)


@pytest.fixture
def faked(monkeypatch):
    monkeypatch.setattr(under_test, "Pipeline", FakePipeline)


def server_programs() -> Path | None:
    """The folder of initdb and pg_ctl, which Debian keeps off the path."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return next((folder for folder in reversed(folders) if (folder / "pg_ctl").exists()), None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The SQLAlchemy address of an empty database; its server listens on a socket in a folder of its own."""
    programs = server_programs()
    if programs is None:
        pytest.skip("NOT TESTED: studies on PostgreSQL. No initdb and pg_ctl here: apt install postgresql")
    # The server refuses to be root, so its folder lies where it may go as somebody else.
    user = "postgres" if os.getuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="r2rec-pg-", dir="/tmp"))

    def run(program: str, *arguments: str) -> None:
        done = subprocess.run(
            [programs / program, "-D", folder / "data", *arguments],
            user=user, cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    try:
        if user:
            shutil.chown(folder, user)
        run("initdb", "-U", "postgres", "-A", "trust", "--no-sync", "--no-locale", "-E", "UTF8")
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", f"-k {folder} -c listen_addresses= -F", "start")
        try:
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
