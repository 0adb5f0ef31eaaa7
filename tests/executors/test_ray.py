"""Jobs on a local Ray cluster: done where the command would do them, and told when they cannot be."""

import os
import re
import signal
import sys
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from r2rec_bench.cli.app import app
from r2rec_bench.core.errors import InputError
from r2rec_bench.executors import ray as executor
from r2rec_bench.executors.base import Job
from r2rec_bench.executors.ray import Place, Ray, shares_of
from r2rec_bench.testing.models import small_nano
from tests.worlds import untimed, write_tiny

ABLATION = "extends: tiny.yaml\nquestion: How fast?\nchange: {stages.sft.lr: 1.0e-3}\n"
BROKEN = "extends: tiny.yaml\nquestion: What if?\nchange: {candidates.n: 200}\n"


def write(path: Path, variable: str) -> None:
    path.write_text(f"{Path.cwd()}\n{os.environ.get(variable)}\n")


def fail() -> None:
    raise InputError("there is no such thing")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_a_job_that_fails_or_dies_keeps_no_other_from_being_done(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("R2REC_TEST", "passed on")
    monkeypatch.chdir(tmp_path)
    works = [partial(write, Path("a"), "R2REC_TEST"), die, fail, partial(write, Path("b"), "HOME")]
    ended = {one.index: one for one in Ray(tmp_path / "store", 2).run([Job(str(work), work) for work in works])}
    assert sorted(ended) == [0, 1, 2, 3]
    assert ended[0].failure == ended[3].failure == ""
    assert "want of memory; try fewer workers" in ended[1].failure
    assert ended[2].failure == "there is no such thing"
    assert (tmp_path / "a").read_text() == f"{tmp_path}\npassed on\n"  # relative to the folder of the command
    assert list((tmp_path / "store" / ".locks").iterdir()) == []


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_a_study_is_the_same_on_a_cluster(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_tiny(
        tmp_path,
        chains={"evidence": "bundle", "order": "forward", "window": 10},
        queries={"n": 128, "latest": 10},
        backbone={"weights": str(small_nano().path)},
        stages=[{"use": "sft", "lr": 1e-2, "batch_size": 32, "epochs": 1}],
        untrained=False,
        ranker={"max_thought_tokens": 16},
        baselines=["popularity", "ease"],
    )
    for name, text in (("slow", ABLATION), ("broken", BROKEN)):
        Path(f"{name}.yaml").write_text(text)

    def results(out: str, *arguments: str) -> list[list[dict[str, str]]]:
        """Of a suite of which one part fails, and of a matrix of which none does; all but what depends on the time."""
        runner = CliRunner(env={"R2REC_CACHE": f"cache-{out}", "R2REC_DATA": None})
        given = ["--out", out, "--quiet", *arguments]
        suite = runner.invoke(app, ["run", "tiny.yaml", "slow.yaml", "broken.yaml", "--name", "suite", *given])
        assert suite.exit_code == 1, suite.output
        assert re.search(r"broken(, seed 0)? failed: ", " ".join(suite.stderr.split()))
        matrix = runner.invoke(app, ["matrix", "tiny.yaml", "--vary", "chains=none,recent", *given])
        assert matrix.exit_code == 0, matrix.output
        return [untimed(Path(out) / name / "results.csv") for name in ("suite", "matrix-tiny-chains")]

    there = results("ray", "--executor", "ray", "--workers", "2")
    assert there == results("here")
    assert [row["run_id"] for row in there[0]]
    made = {path.parent.name for path in Path("cache-ray/artifacts").glob("*/*")}
    assert {"sft", "evaluation", "baseline"} <= made


@pytest.fixture
def place(tmp_path: Path):
    """As this process has it, the lock of the store held."""
    with executor._place(tmp_path) as place:
        yield place


def test_a_worker_that_finds_all_is_like_the_command(place: Place, monkeypatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(executor, "_free", lambda lock: False)  # of this process it could be had again
    executor._settle(place)
    assert tuple(sys.path) == place.path


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"lock": Path("/nowhere/.locks/x.lock")}, r"does not see /nowhere of .*R2REC_CACHE"),
        ({"folder": "/nowhere"}, "does not see /nowhere of"),
        ({"code": "another"}, "has other code .* Install the same"),
    ],
    ids=["store", "folder", "code"],
)
def test_a_worker_elsewhere_is_refused(place: Place, monkeypatch, change: dict[str, object], told: str) -> None:
    monkeypatch.setattr(executor, "_free", lambda lock: False)
    with pytest.raises(InputError, match=told):
        executor._settle(replace(place, **change))


def test_a_store_whose_locks_do_not_hold_is_refused(tmp_path: Path) -> None:
    with executor._place(tmp_path) as place:
        pass
    place.lock.touch()  # seen, but not locked
    with pytest.raises(InputError, match="not its file locks"):
        executor._settle(place)


@pytest.mark.parametrize(
    ("machines", "workers", "cpus", "gpus"),
    [
        ([{"CPU": 8.0}], 2, 4.0, 0.0),
        ([{"CPU": 2.0}], 3, 0.666, 0.0),
        ([{"CPU": 8.0}, {"CPU": 8.0}], None, 8.0, 0.0),  # one per machine
        ([{"CPU": 16.0, "GPU": 4.0}], None, 4.0, 1.0),  # one per GPU
        ([{"CPU": 16.0, "GPU": 1.0}], 3, 5.0, 0.333),
        ([{"CPU": 4.0}, {"CPU": 16.0, "GPU": 2.0}], 1, 16.0, 2.0),  # no more than the largest machine has
        # A job is on one machine: a third of two machines fits twice, and processors without a GPU are no help.
        ([{"CPU": 8.0}, {"CPU": 8.0}], 3, 4.0, 0.0),
        ([{"CPU": 4.0}, {"CPU": 16.0, "GPU": 2.0}], None, 8.0, 1.0),
        ([{"CPU": 8.0, "GPU": 1.0}, {"CPU": 8.0, "GPU": 1.0}], 3, 4.0, 0.5),
        ([{"CPU": 4.0}, {"GPU": 2.0}], None, 0.0, 1.0),
        ([{"CPU": 7.0}], 25, 0.28, 0.0),  # though 7 / 0.28 is a little less than 25 in floats
    ],
)
def test_workers_share_the_cluster_evenly(machines, workers, cpus: float, gpus: float) -> None:
    assert shares_of(machines, workers) == {"num_cpus": cpus, "num_gpus": gpus}


MACHINES = st.lists(
    st.builds(lambda cpus, gpus: {"CPU": float(cpus), "GPU": float(gpus)}, st.integers(0, 64), st.integers(0, 8)),
    min_size=1,
    max_size=5,
)


@given(machines=MACHINES, workers=st.integers(1, 100))
def test_so_many_workers_fit_at_once(machines: list[dict[str, float]], workers: int) -> None:
    shares = shares_of(machines, workers)
    asked = {name: Fraction(str(shares[key])) for name, key in (("CPU", "num_cpus"), ("GPU", "num_gpus"))}
    assert all(share < 1 or share.denominator == 1 for share in asked.values())
    assert bool(asked["GPU"]) == any(machine["GPU"] for machine in machines)
    if any(asked.values()):
        fitting = [min(int(machine[name]) // share for name, share in asked.items() if share) for machine in machines]
        assert sum(fitting) >= workers


def test_without_ray_the_extra_is_named(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"pip install 'r2rec-bench\[ray\]'"):
        list(Ray(tmp_path).run([Job("a", fail)]))
