"""Keys in the environment: a whole run with a paid teacher and W&B, every byte of which is searched for them."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from r2rec_bench.cli.app import app
from r2rec_bench.testing.models import small_nano
from tests.worlds import write_tiny

KEY = "sk-canary-5f1e7c0ffee5f1e7c0ffee"
OTHERS = {"WANDB_API_KEY": "5ca1ab1e" * 5, "HF_TOKEN": "hf_canaryDeadBeefCanary", "AWS_SECRET_ACCESS_KEY": "canary/aws"}


@pytest.fixture
def experiment(server, tmp_path, monkeypatch) -> Path:
    for name in ("WANDB_MODE", "WANDB_DIR", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"PAID_TEACHER_KEY": KEY, "R2REC_CACHE": str(tmp_path / "cache"), **OTHERS}.items():
        monkeypatch.setenv(name, value)
    paid = {"use": "openai", "model": "m", "base_url": server.url, "api_key_env": "PAID_TEACHER_KEY", "retries": 0}
    return write_tiny(
        tmp_path,
        name="paid",
        candidates={"users": 10},
        teacher=paid,
        queries={"n": 48},
        backbone={"weights": str(small_nano().path)},
        stages=[{"use": "sft", "lr": 1e-2, "batch_size": 16}],
        untrained=False,
        ranker={"max_thought_tokens": 8},
        metrics=["hr"],
        baselines=[],
    )


def run(experiment: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["run", str(experiment), "--out", str(experiment.parent / "reports"), *options])


def leaks(folder: Path, told: Result) -> list[str]:
    """The files, and what was said, that hold a secret."""
    secrets = [KEY, *OTHERS.values()]
    texts = {"terminal": told.stdout + told.stderr}
    for file in folder.rglob("*"):
        if file.is_file():
            texts[str(file)] = file.read_bytes().decode("latin-1")
            if file.suffix == ".parquet":  # packed
                texts[f"{file}, its rows"] = str(pq.read_table(file).to_pylist())
    return [place for place, text in texts.items() if any(secret in text for secret in secrets)]


@pytest.mark.slow
def test_keys_are_in_nothing_that_a_run_writes_or_says(experiment, server):
    told = run(experiment, "--track", "wandb")
    assert told.exit_code == 0, told.stderr
    assert set(server.keys) == {f"Bearer {KEY}"}
    written = {file.suffix for file in experiment.parent.rglob("*") if file.is_file()}
    assert {".jsonl", ".json", ".parquet", ".md", ".csv", ".wandb", ".safetensors"} <= written
    assert leaks(experiment.parent, told) == []


def test_a_key_that_is_refused_is_not_told_though_the_server_repeats_it(experiment, server):
    server.script = lambda body, before: {
        "status": 401,
        "body": {"error": {"message": f"Incorrect API key provided: {KEY}", "code": KEY}},
        "headers": {"x-request-id": KEY},
    }
    told = run(experiment)
    assert told.exit_code == 1
    assert "HTTP 401" in told.stderr
    assert leaks(experiment.parent, told) == []


def test_a_key_written_into_the_experiment_is_refused_and_not_repeated(experiment):
    text = experiment.read_text()
    for wrong in (text.replace("PAID_TEACHER_KEY", KEY), text.replace("http://", f"http://user:{KEY}@")):
        experiment.write_text(wrong)
        told = run(experiment)
        assert (told.exit_code, "teacher" in told.stderr, KEY in told.stderr) == (2, True, False)
