"""Habits that no linter knows: of the files in git, and of the commands that the documents show."""

import csv
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = ["README.md", "CONTRIBUTING.md"]
MAX_LINES = 350


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """Every file in git."""
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a git checkout: which files belong to the project cannot be told")
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in listing.split("\0") if name and (path := ROOT / name).is_file()]


def test_no_file_knows_a_machine(tracked: list[Path]):
    """Only CI says where this machine keeps its data."""
    machine = re.compile(rb"/(work|farm|root|tmp)/[A-Za-z]|\.\./" + rb"shared")
    texts = (path for path in tracked if ".ci" not in path.parts)
    assert [str(path.relative_to(ROOT)) for path in texts if machine.search(path.read_bytes())] == []


def test_files_stay_short(tracked: list[Path]):
    code = (path for path in tracked if path.suffix == ".py")
    lengths = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in code}
    assert {name for name, lines in lengths.items() if lines > MAX_LINES} == set()


def commands(program: str) -> list[list[str]]:
    """The arguments of every `program` line in the documents: in indented or fenced blocks, and in inline code."""
    lines = re.compile(rf"(?:^ *|`){program} ([^`\n#]+)", re.MULTILINE)
    texts = ((ROOT / name).read_text("utf-8") for name in DOCUMENTS)
    return [shlex.split(found) for text in texts for found in lines.findall(text)]


def test_documented_targets_exist():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = [re.compile(name.replace("%", ".+")) for name in re.findall(r"^([a-z%-]+):", makefile, re.MULTILINE)]
    shown = {arguments[0] for arguments in commands("make")}
    assert "quickstart" in shown
    assert {name for name in shown if not any(target.fullmatch(name) for target in targets)} == set()


def test_documented_commands_exist():
    """Each command line, with its options, is one that the program parses; --help keeps it from running."""
    from typer.testing import CliRunner

    from r2rec_bench.cli import app

    shown = commands("r2rec")
    assert shown
    failed = {
        shlex.join(arguments): result.output
        for arguments in shown
        if (result := CliRunner().invoke(app, [*arguments, "--help"])).exit_code
    }
    assert failed == {}


def test_the_readme_shows_the_committed_report():
    """Every row of the README's table is the report's: system, HR@1 with its interval, NDCG@10, run id."""
    readme = (ROOT / "README.md").read_text("utf-8")
    block = readme.partition("<!-- quickstart-table -->")[2].partition("<!-- /quickstart-table -->")[0]
    shown = [[cell.strip(" *") for cell in line.split("|")[1:-1]] for line in block.splitlines() if "[" in line]
    with (ROOT / "reports" / "quickstart" / "results.csv").open(encoding="utf-8") as file:
        everybody = (row for row in csv.DictReader(file) if row.get("group", "all") == "all")
        stored = {(row["system"], row["metric"]): row for row in everybody}
    assert shown
    assert [cells[0] for cells in shown] == list(dict.fromkeys(system for system, _ in stored))
    for system, hr, ndcg, _, run in shown:
        first, second = stored[system, "hr@1"], stored[system, "ndcg@10"]
        assert hr == f"{float(first['mean']):.3f} [{float(first['low']):.3f}, {float(first['high']):.3f}]"
        assert ndcg == f"{float(second['mean']):.3f}"
        assert run.strip("`") == first["run_id"][:12]
