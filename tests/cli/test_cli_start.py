"""Start-up, exit codes and what becomes of errors, in a process of its own where that matters."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from r2rec_bench.cli.app import app
from r2rec_bench.core.errors import R2RecError
from tests.worlds import Place, write_tiny

MAIN = "from r2rec_bench.cli import main; main()"


def r2rec(*arguments: str, before: str = "", fails: bool = False) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, after the Python code `before`."""
    command = [sys.executable, "-c", f"{before}\n{MAIN}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=not fails)


def loaded(*modules: str) -> str:
    """Code that writes which of `modules` were imported to standard error at the end."""
    return (
        f"import atexit, sys\natexit.register(lambda: sys.stderr.write(' '.join(sys.modules.keys() & {set(modules)})))"
    )


def test_help_imports_nothing_heavy():
    done = r2rec("--help", before=loaded("numpy", "pandas", "numba", "pyarrow", "pydantic", "torch", "rich"))
    assert "chains" in done.stdout
    assert done.stderr == ""


def test_a_listing_loads_no_data_frame_and_no_deep_learning():
    done = r2rec("list", before=loaded("pandas", "torch", "transformers", "implicit"))
    assert "closed_uniform" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run"], "Missing argument"),
        (["run", "nowhere.yaml"], "no file 'nowhere.yaml'"),
        (["rum"], "No such command"),
        (["list", "cains"], "Did you mean 'chains'?"),
        (["show", "hrr"], "Did you mean 'hr'?"),
        (["show", "metrics", "hrr"], "Did you mean 'hr'?"),
        (["data", "stats", "sinthetic"], "Did you mean 'synthetic'?"),
        (["explain", "00000000"], "no artifact '00000000'"),
        (["report", "00000000"], "no artifact '00000000'"),
        (["report", "00000000", "--seeds", "2"], "belong to an experiment's file"),
        (["report", "00000000", "--set", "seed=1"], "belong to an experiment's file"),
    ],
)
def test_bad_input_exits_with_2_and_a_sentence(arguments: list[str], said: str, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("R2REC_CACHE", str(tmp_path))
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_name_that_no_folder_can_have_is_refused_before_any_work(tmp_path: Path):
    place = Place(tmp_path)
    tiny, long = write_tiny(tmp_path), tmp_path / f"{'long-' * 49}.yaml"
    ablation = "extends: tiny.yaml\nquestion: Why?\nchange: {chains.n: 1}\n"
    long.write_text(ablation)
    (tmp_path / "short.yaml").write_text(ablation)
    refused = place.invoke("run", tiny, long, tmp_path / "short.yaml", "--quiet")
    assert refused.exit_code == 2
    assert "256 bytes, and a folder's takes 255; give the study another with --name" in refused.stderr
    assert not (tmp_path / "cache" / "artifacts").exists()


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (R2RecError("The loss [/red] is not finite."), 1, "The loss [/red] is not finite."),
        (KeyboardInterrupt(), 130, "Finished stages are kept"),
        (PermissionError(13, "Permission denied", "/some/[b]/file"), 2, "/some/[b]/file: Permission denied"),
        (OSError(28, "No space left on device"), 2, "No space left on device"),
    ],
)
def test_failures_and_interruptions(raised: BaseException, code: int, said: str, monkeypatch):
    def fail(*_: object) -> None:
        raise raised

    monkeypatch.setattr("r2rec_bench.cli.studies.gather", fail)
    result = CliRunner().invoke(app, ["run", "x.yaml"])
    assert result.exit_code == code
    assert said in result.stderr


@pytest.mark.parametrize(("raised", "name"), [("1 / 0", "ZeroDivisionError"), ("open('lost')", "FileNotFoundError")])
def test_what_nobody_foresaw_keeps_its_traceback(raised: str, name: str):
    broken = f"import r2rec_bench.cli.studies as studies\ndef fail(*_): {raised}\nstudies.gather = fail"
    done = r2rec("run", "x.yaml", before=broken, fails=True)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert name in done.stderr


def test_plugins_can_be_left_out():
    assert "ease" not in r2rec("--no-plugins", "list", "baselines").stdout
    assert "ease" in r2rec("list", "baselines").stdout
